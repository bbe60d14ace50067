// SPDX-License-Identifier: BSD-3-Clause
// How well the images tell the parameters of each pixel.
#pragma once

#include "blurfield/learn/detail/normal_equations.h"

namespace blurfield::detail {

// Confidence at s from the Fisher information in `equations` (built there with weights
// mask / noise^2), summed over a Gaussian window of `window` pixels (0: each pixel alone). Shaped
// (F, 1, H, W), as Estimate::confidence says.
template <class T>
Image<T> confidence_map(const BlurFit<T>& fit, const NormalEquations<T>& equations,
                        std::span<const T> s, double window, const EstimateOptions& options);

}  // namespace blurfield::detail
