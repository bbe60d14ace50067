// SPDX-License-Identifier: BSD-3-Clause
// Adam (Kingma and Ba 2015, algorithm 1), with PyTorch's update:
//   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
//   x -= rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + epsilon).
// The value may rise on the way. Where there is none, the step and its momentum are halved.
#pragma once

#include <array>

#include "blurfield/optim/minimise.h"

namespace blurfield {

template <class T>
struct AdamOptions : MinimiseOptions<T> {
  double rate = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};  // 0 <= beta < 1
  double epsilon = 1e-8;
  Bounds<T> bounds;        // x is clamped after every update
  bool keep_best = false;  // return the x of the lowest value seen instead of the last
};

template <class T>
MinimiseResult adam(const Objective<T>& objective, std::span<T> x,
                    const AdamOptions<T>& options = {});

}  // namespace blurfield
