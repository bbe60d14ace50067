// SPDX-License-Identifier: BSD-3-Clause
// The blurs of ops/ on Vars: shapes, units, options and errors are theirs. Where the options give
// no thread limit, that of the Vars holds.
//
// First derivatives are there by every input. Second derivatives are there wherever one of the two
// inputs enters linearly and the other is asked for second: image and image, image then Gaussian.
// Else an Error says which is missing, and only once it is needed: constants never ask.
#pragma once

#include "blurfield/autodiff/var.h"
#include "blurfield/ops/adaptive_blur.h"

namespace blurfield {

// `field` (N | 1, 1 | 2 | 3, H, W): sigma, (sigma_y, sigma_x) or log-Cholesky.
template <class T>
Var<T> adaptive_blur(const Var<T>& x, const Var<T>& field, const AdaptiveBlurOptions& options = {});

// `gaussian` of 1 to 3 elements: {sigma}, {sigma_y, sigma_x} or {a, b, c}, in any shape; or a
// number.
template <class T>
Var<T> uniform_blur(const Var<T>& x, const std::type_identity_t<Var<T>>& gaussian,
                    const BlurOptions& options = {});

// `sigmas` of 2 elements {sigma_min, sigma_max}; `weight` (N | 1, 1, H | 1, W | 1).
template <class T>
Var<T> mix(const Var<T>& x, const Var<T>& sigmas, const Var<T>& weight,
           const BlurOptions& options = {});

}  // namespace blurfield
