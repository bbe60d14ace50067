// SPDX-License-Identifier: BSD-3-Clause
// Adamax (Kingma and Ba 2015, algorithm 2), with PyTorch's update:
//   m = b1 m + (1 - b1) g,  u = max(b2 u, |g| + epsilon),  x -= rate / (1 - b1^t) m / u.
// The value may rise on the way. Where there is none, the step and its momentum are halved.
#pragma once

#include <array>

#include "blurfield/optim/minimise.h"

namespace blurfield {

template <class T>
struct AdamaxOptions : MinimiseOptions<T> {
  double rate = 2e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double epsilon = 1e-8;
  Bounds<T> bounds;        // x is clamped after every update
  bool keep_best = false;  // return the x of the lowest value seen instead of the last
};

template <class T>
MinimiseResult adamax(const Objective<T>& objective, std::span<T> x,
                      const AdamaxOptions<T>& options = {});

}  // namespace blurfield
