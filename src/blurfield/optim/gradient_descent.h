// SPDX-License-Identifier: BSD-3-Clause
// Gradient descent of fixed rate with heavy-ball momentum (Polyak 1964), PyTorch's SGD:
//   b = momentum b + g (b = g at first),  x -= rate b.
// The value may rise on the way. Where there is none, the step and its momentum are halved.
#pragma once

#include "blurfield/optim/minimise.h"

namespace blurfield {

template <class T>
struct GradientDescentOptions : MinimiseOptions<T> {
  double rate = 1e-3;
  double momentum = 0.0;   // 0 <= momentum < 1
  Bounds<T> bounds;        // x is clamped after every update
  bool keep_best = false;  // return the x of the lowest value seen instead of the last
};

template <class T>
MinimiseResult gradient_descent(const Objective<T>& objective, std::span<T> x,
                                const GradientDescentOptions<T>& options = {});

}  // namespace blurfield
