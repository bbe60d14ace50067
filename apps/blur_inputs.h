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

// The output's sample type; throws Error where the output's format needs --bit-depth.
io::Sample output_sample(const BlurRequest& request, const io::Info& in);

// The sigma or logchol map, (1, 1 | 2 | 3, H, W) in pixels; empty for a uniform blur.
template <class T>
Image<T> load_field(const BlurRequest& request, const io::Info& in);

// The mask (1, 1, H, W), finite and >= 0; empty if there is none.
template <class T>
Image<T> load_mask(const BlurRequest& request, const io::Info& in);

// Throws Error at the first pixel that is not finite.
template <class T>
void require_finite(const View<const T>& image, const std::string& file);

AdaptiveBlurOptions blur_options(const BlurRequest& request);

}  // namespace blurfield::app
