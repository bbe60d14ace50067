// SPDX-License-Identifier: BSD-3-Clause
// The two checks that every linear operation and every derivative must pass.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/images.h"

namespace blurfield::test {

// <A x, y> = <x, A^T y> for random x and y. `forward` and `adjoint` map images to images.
template <class T, class Forward, class Adjoint>
void expect_adjoint(const Shape& x_shape, const Shape& y_shape, const Forward& forward,
                    const Adjoint& adjoint, double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5) {
  const Image<T> x = random_image<T>(x_shape, 101);
  const Image<T> y = random_image<T>(y_shape, 202);
  const Image<T> ax = forward(x);
  const double scale = std::max(norm(ax) * norm(y), norm(x) * norm(y));
  EXPECT_NEAR(inner(ax, y) / scale, inner(x, adjoint(y)) / scale, tolerance);
}

// The slope of f at 0 (f: double -> double) against central differences of fourth order.
template <class F>
void expect_slope(const F& f, double slope, double step = 1e-3, double tolerance = 1e-6) {
  const double near = (f(step) - f(-step)) / (2 * step);
  const double far = (f(2 * step) - f(-2 * step)) / (4 * step);
  const double numeric = (4 * near - far) / 3;
  EXPECT_NEAR(slope, numeric, tolerance * std::max({std::abs(slope), std::abs(numeric), 1e-3}));
}

// x + t d
inline Image<double> moved(const Image<double>& x, double t, const Image<double>& d) {
  Image<double> result(x.shape());
  for (Index i = 0; i < x.elements(); ++i) result.data()[i] = x.data()[i] + t * d.data()[i];
  return result;
}

}  // namespace blurfield::test
