// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/fista.h"

#include <gmock/gmock.h>

#include "blurfield/optim/gradient_descent.h"
#include "tests/support/minima.h"

namespace blurfield {
namespace {

using test::Values;

template <class T>
class Fista : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Fista, Types);

FistaOptions<double> certified(double lipschitz, int iterations) {
  FistaOptions<double> options;
  options.lipschitz = lipschitz;
  options.max_iterations = iterations;
  return options;
}

// f(y_k) <= 2 L |x0 - x*|^2 / (k + 1)^2 for a function of least value 0 (Beck and Teboulle).
TEST(FistaRate, IsThatOfAcceleratedGradients) {
  for (const double condition : {1e2, 1e4, 1e6}) {
    const test::Quadratic quadratic(1000, condition);
    double square = 0.0;
    for (double m : quadratic.minimum) square += m * m;
    Values x(1000);
    auto options = certified(condition, 300);
    options.callback = [&](const Iterate<double>& now) {
      EXPECT_LE(now.value, 2 * condition * square / std::pow(now.iteration + 1, 2));
      return true;
    };
    fista(quadratic.problem().objective, std::span(x), options);
  }
}

// Restarts make the rate linear, in the square root of the condition.
TEST(FistaRate, IsLinearWhereTheFunctionIsRound) {
  const test::Quadratic quadratic(1000, 1e4);
  const auto problem = quadratic.problem();
  Values x(1000);
  auto options = certified(1e4, 6000);
  options.gradient_tolerance = 1e-8;
  const auto result = fista(problem.objective, std::span(x), options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_EQ(result.evaluations, result.iterations + 1);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], quadratic.minimum[i], 1e-7);
  Values plain(1000);
  GradientDescentOptions<double> slow;
  slow.rate = 1e-4;
  slow.max_iterations = result.iterations;
  EXPECT_GT(gradient_descent(problem.objective, std::span(plain), slow).value,
            1e6 * result.value + 1e-3);
}

TYPED_TEST(Fista, StaysWithinItsBounds) {
  using T = TypeParam;
  const std::vector<T> lower{T(-2), T(0.5)};
  const std::vector<T> upper{T(0.5), T(2)};
  FistaOptions<T> options;
  options.lipschitz = 1500;
  options.max_iterations = 3000;
  options.gradient_tolerance = 1e-3;
  options.bounds = {lower, upper};
  options.callback = [&](const Iterate<T>& now) {
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(now.x[i] >= lower[i] && now.x[i] <= upper[i]) << now.iteration;
    }
    return true;
  };
  std::vector<T> x{T(3), T(-4)};  // moved into the box first
  const MinimiseResult result = fista<T>(test::rosenbrock<T>().objective, x, options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_EQ(x, (std::vector<T>{T(0.5), T(0.5)}));
}

TEST(FistaBounds, AreFoundWhereManyHold) {
  const test::Quadratic quadratic(400, 1e3);
  const auto problem = quadratic.problem();
  const Values lower(400, 0.0);
  const Values upper(400, 0.5);
  Values x(400);
  auto options = certified(1e3, 4000);
  options.gradient_tolerance = 1e-7;
  options.bounds = {lower, upper};
  EXPECT_EQ(fista(problem.objective, std::span(x), options).stop, Stop::gradient);
  test::expect_kkt(problem.objective, x, options.bounds, 1e-7);
  const auto held = [](double v) { return v == 0.0 || v == 0.5; };
  EXPECT_GT(std::ranges::count_if(x, held), 100);
  EXPECT_LT(std::ranges::count_if(x, held), 400);
}

TYPED_TEST(Fista, RefusesBadOptions) {
  using T = TypeParam;
  const auto error = [](double lipschitz, const Bounds<T>& bounds) -> std::string {
    FistaOptions<T> options;
    options.lipschitz = lipschitz;
    options.bounds = bounds;
    std::vector<T> x{T(1), T(2)};
    try {
      fista<T>(test::rosenbrock<T>().objective, x, options);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  using ::testing::HasSubstr;
  const std::vector<T> three{T(1), T(1), T(1)};
  EXPECT_THAT(error(0, {}), HasSubstr("fista: expected a finite lipschitz > 0, got 0"));
  EXPECT_THAT(error(-1, {}), HasSubstr("got -1"));
  EXPECT_THAT(error(INFINITY, {}), HasSubstr("got inf"));
  EXPECT_THAT(error(NAN, {}), HasSubstr("got nan"));
  EXPECT_THAT(error(1, {three, {}}), HasSubstr("lower bounds of 1 or 2 elements, got 3"));
}

}  // namespace
}  // namespace blurfield
