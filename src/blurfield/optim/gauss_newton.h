// SPDX-License-Identifier: BSD-3-Clause
// Gauss-Newton for f(x) = |r(x)|^2 / 2 + prior(x), damped as by Levenberg and Marquardt: each step
// solves (B + damping D) d = -gradient by preconditioned conjugate gradients, where B = J^T J + the
// prior's curvature is known by its products only. The damping follows the ratio of the decrease
// got to that predicted (Nielsen's rule; Madsen, Nielsen, Tingleff 2004, section 3.2).
#pragma once

#include "blurfield/optim/minimise.h"

namespace blurfield {

template <class T>
struct Curvature {
  // Prepares what follows for this x; called once for every accepted x, after evaluate(x,
  // gradient).
  std::function<void(std::span<const T> x)> linearise;
  // product = B v.
  std::function<void(std::span<const T> v, std::span<T> product)> multiply;
  // The diagonal D > 0 that damping is measured in; none: ones. That of B is the natural one; where
  // the residuals are far from linear, the largest so far of each element (Moré 1978).
  std::function<void(std::span<T> diagonal)> scale;
  // product ~ (B + damping D)^-1 v, symmetric and positive; none: v.
  std::function<void(double damping, std::span<const T> v, std::span<T> product)> precondition;
};

// What is called, and in which order: evaluate(x, gradient) at each point tried; once it is
// accepted, and if a step from there follows, linearise(x) and scale; then the products.
template <class T>
struct GaussNewtonOptions : MinimiseOptions<T> {
  Bounds<T> bounds;  // projected: parameters held by a bound do not move in that step
  double damping = 1e-3;
  double max_step = std::numeric_limits<double>::infinity();  // of any one parameter
  int cg_iterations = 200;
  double cg_tolerance = 1e-2;  // |residual| / |gradient|, in the preconditioner's norm
};

template <class T>
MinimiseResult gauss_newton(const Objective<T>& objective, const Curvature<T>& curvature,
                            std::span<T> x, const GaussNewtonOptions<T>& options = {});

}  // namespace blurfield
