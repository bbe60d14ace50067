// SPDX-License-Identifier: BSD-3-Clause
// Accelerated projected gradients (FISTA, Beck and Teboulle 2009) for convex functions whose
// gradient's Lipschitz constant is known, restarted where the momentum climbs (O'Donoghue and
// Candes 2015): each step 1 / lipschitz is certified, none is searched for. In the form that never
// leaves the box (Auslender and Teboulle 2006): with steps z and means x of them,
//   y = (1 - t) x + t z,  z <- project(z - gradient(y) / (t lipschitz)),  x <- (1 - t) x + t z.
// The y, where the objective is evaluated once per iteration, are what is told and returned. The
// value may rise on the way. Holds 5 vectors of x's size.
#pragma once

#include "blurfield/optim/minimise.h"

namespace blurfield {

template <class T>
struct FistaOptions : MinimiseOptions<T> {
  double lipschitz = 0.0;  // no less than any eigenvalue of the Hessian; > 0, finite
  Bounds<T> bounds;
};

template <class T>
MinimiseResult fista(const Objective<T>& objective, std::span<T> x, const FistaOptions<T>& options);

}  // namespace blurfield
