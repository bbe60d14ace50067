// SPDX-License-Identifier: BSD-3-Clause
// How well the images tell the parameters of each pixel.
#pragma once

#include "blurfield/learn/detail/problem.h"

namespace blurfield::detail {

// Confidence at s from the Fisher information of the normal equations, summed over a Gaussian
// window of `window` pixels (0: each pixel alone). Shaped (F, 1, H, W), as Estimate::confidence
// says. Where the residual within the window is not as white as noise, a blur does not explain the
// images, and the information counts for as much less.
template <class T>
Image<T> confidence_map(Problem<T>& problem, std::span<const T> s, double window,
                        const EstimateOptions& options);

}  // namespace blurfield::detail
