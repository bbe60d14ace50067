// SPDX-License-Identifier: BSD-3-Clause
// Loads and checks what a blur reads, so that every error names its file.
#pragma once

#include <optional>

#include "apps/blur_request.h"
#include "blurfield/io/picture.h"
#include "blurfield/ops/adaptive_blur.h"

namespace blurfield::app {

// The parameters of a uniform blur (see uniform_blur.h), empty where a map was asked for.
std::vector<double> uniform_gaussian(const BlurRequest& request);

// The sigma or logchol map, (1, 1 | 2 | 3, H, W) in pixels; empty for a uniform blur.
template <class T>
Image<T> load_field(const BlurRequest& request, const io::Info& in);

AdaptiveBlurOptions blur_options(const BlurRequest& request);

}  // namespace blurfield::app
