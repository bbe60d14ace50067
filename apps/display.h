// SPDX-License-Identifier: BSD-3-Clause
// Pictures as a page shows them.
#pragma once

#include <optional>

#include "blurfield/base/image.h"
#include "blurfield/report/colour_map.h"

namespace blurfield::app {

// The first page as an sRGB or grey picture (1, 1 | 3, H, W) in 0..1: alpha over mid-grey, the
// first three colour channels, or the first where there are fewer. `range` is what becomes 0..1.
template <class T>
Image<float> displayed(const View<const T>& image, bool alpha, const report::Range& range);

// The range that suits an image: 0..white for integers, the image's own for float samples.
template <class T>
report::Range display_range(const View<const T>& image, bool is_float, double white);

// A field (N, 1 | 2 | 3, H, W) as a page draws it: sigmas as they are, log-Cholesky parameters as
// covariances; empty for an empty one.
template <class T>
Image<float> drawn_field(const View<const T>& field);

}  // namespace blurfield::app
