// SPDX-License-Identifier: BSD-3-Clause
// Mix of two uniform isotropic blurs (B3): out = m blur(x, sigma_min) + (1 - m) blur(x, sigma_max).
// The weight m is shaped (N | 1, 1, H | 1, W | 1) and broadcasts: one number, a number per row or
// column, or a field. Nothing keeps m within 0..1. Cost: two uniform blurs. `options.radius` is
// empty, one radius for both blurs, or one for each of them; `options.tolerance` is each blur's.
#pragma once

#include <array>

#include "blurfield/base/image.h"
#include "blurfield/ops/blur_options.h"

namespace blurfield {

// {sigma_min, sigma_max} in pixels; 0 means no blur.
using MixSigmas = std::array<double, 2>;

template <class T>
void mix(const View<const T>& x, const MixSigmas& sigmas, const View<const T>& weight,
         const View<T>& out, const BlurOptions& options = {});

// Gradients of <cotangent, mix(...)>; an empty view or null pointer is not computed. grad_weight
// has the weight's shape.
template <class T>
void mix_vjp(const View<const T>& x, const MixSigmas& sigmas, const View<const T>& weight,
             const View<const T>& cotangent, const View<T>& grad_x, MixSigmas* grad_sigmas,
             const View<T>& grad_weight, const BlurOptions& options = {});

// The derivative of mix along (x_dot, sigmas_dot, weight_dot); an empty view counts as zero.
template <class T>
void mix_jvp(const View<const T>& x, const MixSigmas& sigmas, const View<const T>& weight,
             const View<const T>& x_dot, const MixSigmas& sigmas_dot,
             const View<const T>& weight_dot, const View<T>& out_dot,
             const BlurOptions& options = {});

}  // namespace blurfield
