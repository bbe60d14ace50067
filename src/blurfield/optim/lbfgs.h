// SPDX-License-Identifier: BSD-3-Clause
// L-BFGS (Nocedal 1980; Nocedal and Wright 2006, algorithm 7.5) with a line search for the strong
// Wolfe conditions. With bounds, parameters that a bound holds against the gradient leave the
// recursion and the step is projected into the box (two-metric projection, Bertsekas 1982), with
// Armijo's condition along the projected path. The value never rises by more than its rounding.
// Holds 2 memory + 5 vectors of x's size, one more with bounds.
#pragma once

#include "blurfield/optim/minimise.h"

namespace blurfield {

template <class T>
struct LbfgsOptions : MinimiseOptions<T> {
  int memory = 10;  // pairs of steps and gradient changes kept, >= 1
  Bounds<T> bounds;
};

template <class T>
MinimiseResult lbfgs(const Objective<T>& objective, std::span<T> x,
                     const LbfgsOptions<T>& options = {});

}  // namespace blurfield
