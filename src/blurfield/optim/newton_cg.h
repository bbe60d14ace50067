// SPDX-License-Identifier: BSD-3-Clause
// Newton's method, each step solved inexactly by conjugate gradients (Nocedal and Wright 2006,
// algorithm 7.1) to the tolerance of Eisenstat and Walker (1996, choice 2), with a line search for
// the strong Wolfe conditions. The inner loop ends where it gains less than change_tolerance would
// count, or meets negative curvature; the line search then goes as far as the value falls. Needs
// objective.hessian_product. The value never rises by more than its rounding.
#pragma once

#include "blurfield/optim/minimise.h"

namespace blurfield {

template <class T>
struct NewtonCgOptions : MinimiseOptions<T> {
  int cg_iterations = 200;  // per step, >= 1
};

template <class T>
MinimiseResult newton_cg(const Objective<T>& objective, std::span<T> x,
                         const NewtonCgOptions<T>& options = {});

}  // namespace blurfield
