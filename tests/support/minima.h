// SPDX-License-Identifier: BSD-3-Clause
// Whether an optimiser's result is a minimum.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/more_garbow_hillstrom.h"
#include "tests/support/optimisers.h"

namespace blurfield::test {

// One of the problem's known minima, to the digits that are known.
inline void expect_minimum(const LeastSquares& problem, const Values& x,
                           const MinimiseResult& result) {
  EXPECT_EQ(result.value, problem.value(x));
  const bool known = std::ranges::any_of(problem.minima, [&](double minimum) {
    return std::abs(result.value - minimum) <= 1e-8 + 1e-5 * minimum;
  });
  EXPECT_TRUE(known) << result.value;
}

// The conditions of Karush, Kuhn and Tucker: no gradient where x is free, none into the box where
// a bound holds it.
inline void expect_kkt(const Objective<double>& objective, const Values& x,
                       const Bounds<double>& bounds, double tolerance) {
  Values gradient(x.size());
  objective.evaluate(x, gradient);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool low = !bounds.lower.empty() && x[i] == bounds.lower[i];
    const bool high = !bounds.upper.empty() && x[i] == bounds.upper[i];
    EXPECT_TRUE(bounds.lower.empty() || x[i] >= bounds.lower[i]) << i;
    EXPECT_TRUE(bounds.upper.empty() || x[i] <= bounds.upper[i]) << i;
    EXPECT_TRUE(low || gradient[i] <= tolerance) << i << ": " << gradient[i];
    EXPECT_TRUE(high || gradient[i] >= -tolerance) << i << ": " << gradient[i];
  }
}

}  // namespace blurfield::test
