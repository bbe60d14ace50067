// SPDX-License-Identifier: BSD-3-Clause
// Test problems of J. J. Moré, B. S. Garbow and K. E. Hillstrom, "Testing unconstrained
// optimization software" (1981), with exact derivatives: f(x) = sum_i r_i(x)^2.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "blurfield/optim/gauss_newton.h"
#include "tests/support/dual.h"

namespace blurfield::test {

using Values = std::vector<double>;

struct LeastSquares {
  std::string name;
  Values start;
  std::size_t residuals = 0;
  Values minima;  // known values of f at local minima, the global one first

  // The residuals at x, along with derivatives for dual numbers.
  std::function<void(const double* x, double* r)> evaluate;
  std::function<void(const Dual<double>* x, Dual<double>* r)> evaluate_first;
  std::function<void(const Dual<Dual<double>>* x, Dual<Dual<double>>* r)> evaluate_second;

  double value(const Values& x) const;
  // f and its gradient, 2 J^T r.
  double value_and_gradient(const Values& x, Values& gradient) const;
  Values hessian_product(const Values& x, const Values& v) const;
  // Row-major J, residuals x parameters.
  Values jacobian(const Values& x) const;
};

// Problems 1-9, 12-16, 18, 20-26, 28, 30, 32, of dimensions 2 to 100.
const std::vector<LeastSquares>& more_garbow_hillstrom();

// The one of that name; throws Error if there is none.
const LeastSquares& more_garbow_hillstrom(const std::string& name);

// As an optimiser takes it. `problem` must outlive the result.
template <class T>
Objective<T> objective_of(const LeastSquares& problem);

// B = 2 J^T J, with its diagonal as scale.
template <class T>
Curvature<T> curvature_of(const LeastSquares& problem);

}  // namespace blurfield::test
