// SPDX-License-Identifier: BSD-3-Clause
// The problems' derivatives against differences, so that the optimisers are tried on what they say.
#include "tests/support/more_garbow_hillstrom.h"

#include "tests/support/derivatives.h"

namespace blurfield::test {
namespace {

TEST(MoreGarbowHillstrom, DerivativesMatchDifferences) {
  ASSERT_GE(more_garbow_hillstrom().size(), 24u);
  Random random(3);
  for (const LeastSquares& problem : more_garbow_hillstrom()) {
    SCOPED_TRACE(problem.name);
    Values x = problem.start;
    Values v(x.size());
    Values w(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] += 0.05 * random.normal();
      v[i] = 0.1 * random.normal();
      w[i] = 0.1 * random.normal();
    }
    const auto along = [&](double t) {
      Values at = x;
      for (std::size_t i = 0; i < x.size(); ++i) at[i] += t * v[i];
      return at;
    };
    const auto dot = [](const Values& a, const Values& b) {
      double sum = 0.0;
      for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
      return sum;
    };
    Values gradient;
    EXPECT_EQ(problem.value_and_gradient(x, gradient), problem.value(x));
    expect_slope([&](double t) { return problem.value(along(t)); }, dot(gradient, v));
    const auto gradient_along_w = [&](double t) {
      Values g;
      problem.value_and_gradient(along(t), g);
      return dot(g, w);
    };
    expect_slope(gradient_along_w, dot(problem.hessian_product(x, v), w));
  }
}

}  // namespace
}  // namespace blurfield::test
