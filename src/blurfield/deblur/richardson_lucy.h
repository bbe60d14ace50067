// SPDX-License-Identifier: BSD-3-Clause
// Richardson-Lucy (Richardson 1972, Lucy 1974) for any blur operator A >= 0, scenes x >= 0:
//   x <- x / s A^T (w (y - offset) / (A x + background)),  s = A^T w
// climbs to the most likely scene under Poisson noise. With tv > 0, s is s (1 - tv div(D x / |D
// x|)) (Dey et al. 2006), the channels taken jointly. Values of y below offset count as offset.
// What the frame hardly sees, s < 1e4 roundings of its largest, keeps its start.
#pragma once

#include "blurfield/deblur/blur_operator.h"
#include "blurfield/optim/minimise.h"

namespace blurfield {

// gradient_tolerance is not used, and an iterate's gradient_norm is 0; change_tolerance: stops
// where |x - x before| <= it |x|, 0: never.
template <class T>
struct RichardsonLucyOptions : MinimiseOptions<T> {
  // Stops where the mean over pixels of weight > 0 of (A x + background + offset - y)^2 falls to
  // this (discrepancy; the noise's variance); 0: never.
  double discrepancy = 0.0;
  // Goes beyond each step by vector extrapolation (Biggs and Andrews 1997); the likelihood may then
  // fall on the way.
  bool accelerate = true;
  double tv = 0.0;  // 0..0.25, 0.01 or so; x's scale does not matter
  double offset = 0.0;
  double background = 0.0;  // >= 0
  // false: s is 1. Dims borders beyond which light is lost; what scikit-image does.
  bool sensitivity = true;
};

// Moves x, the scene, from its start: packed, all pixels >= 0, one > 0; without background its
// scale does not matter. `weight` (N | 1, 1 | C, H, W) >= 0 of y; 0 leaves a pixel out, and y may
// hold anything there. The value of an iterate and of the result is the mean squared residual
// above, at x; stop is gradient for discrepancy. Holds 2 scenes and 1 frame; 2 scenes more to
// accelerate, 1 for tv, 1 less without sensitivity. Throws Error for options out of range, shapes
// that do not match, a start that is negative, pixels that are not finite.
template <class T>
MinimiseResult richardson_lucy(const BlurOperator<T>& blur, const View<const T>& y,
                               const View<T>& x, const RichardsonLucyOptions<T>& options = {},
                               const View<const T>& weight = {});

}  // namespace blurfield
