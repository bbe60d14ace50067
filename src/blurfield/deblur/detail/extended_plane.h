// SPDX-License-Identifier: BSD-3-Clause
// Images with what stands beyond their border written out, and the adjoint of that.
#pragma once

#include <array>

#include "blurfield/base/extension.h"
#include "blurfield/base/image.h"

namespace blurfield::detail {

// `image` (N, C, H, W) with `margin` rows and columns by `mode` on each side; constant is 0.
template <class T>
Image<T> extended_plane(const View<const T>& image, const std::array<Index, 2>& margin, Mode mode,
                        int threads);

// Each pixel of `image` becomes the sum of all pixels of `plane` that extended_plane copies it to.
template <class T>
void fold_plane(const View<const T>& plane, const std::array<Index, 2>& margin, Mode mode,
                const View<T>& image, int threads);

}  // namespace blurfield::detail
