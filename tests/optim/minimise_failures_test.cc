// SPDX-License-Identifier: BSD-3-Clause
// What all optimisers do where the objective has no value, or throws.
#include <gmock/gmock.h>

#include "blurfield/optim/minimise.h"
#include "tests/support/optimisers.h"

namespace blurfield {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
class MinimiseFailures : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(MinimiseFailures, Types);

// Distances from 1: round at the minimum, straight further out, where steps overshoot.
template <class T>
test::Problem<T> valley() {
  const auto root = [](double x) { return std::sqrt(1 + (x - 1) * (x - 1)); };
  return test::separable<T>([=](double x) { return root(x); },
                            [=](double x) { return (x - 1) / root(x); },
                            [=](double x) { return std::pow(root(x), -3); });
}

template <class T>
std::string error_of(const test::Optimiser<T>& optimiser, const test::Problem<T>& problem,
                     std::span<T> x, const MinimiseOptions<T>& options = {}) {
  try {
    optimiser.run(problem, x, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Thrown in the evaluation of that number, counted from 1.
template <class T, class Exception>
test::Problem<T> throwing(int when, const Exception& exception) {
  auto problem = test::rosenbrock<T>();
  problem.objective.evaluate = [=, inner = problem.objective.evaluate, count = 0](
                                   auto x, auto gradient) mutable {
    if (++count == when) throw Exception(exception);
    return inner(x, gradient);
  };
  return problem;
}

TYPED_TEST(MinimiseFailures, KeepsTheLastPointWhenTheObjectiveThrows) {
  using T = TypeParam;
  for (const auto& optimiser : test::optimisers<T>(1e-4)) {
    SCOPED_TRACE(optimiser.name);
    for (int when : {2, 5, 8}) {
      std::vector<T> x = test::rosenbrock_start<T>(2);
      std::vector<T> last;
      MinimiseOptions<T> options;
      options.callback = [&](const Iterate<T>& now) {
        last.assign(now.x.begin(), now.x.end());
        return true;
      };
      const auto cancelled = optimiser.run(throwing<T>(when, Cancelled("cancelled")), x, options);
      EXPECT_EQ(cancelled.stop, Stop::cancelled);
      EXPECT_EQ(cancelled.evaluations, when);
      EXPECT_EQ(cancelled.value, test::rosenbrock<T>().objective.evaluate(x, {}));
      EXPECT_EQ(x, last);
      x = test::rosenbrock_start<T>(2);
      const auto failing = throwing<T>(when, std::domain_error("no value"));
      EXPECT_THROW(optimiser.run(failing, x, options), std::domain_error);
      EXPECT_EQ(x, last);
    }
    std::vector<T> x = test::rosenbrock_start<T>(2);
    const auto at_once = optimiser.run(throwing<T>(1, Cancelled("cancelled")), x, {});
    EXPECT_EQ(at_once.stop, Stop::cancelled);
    EXPECT_EQ(at_once.iterations, 0);
    EXPECT_TRUE(std::isnan(at_once.value));
    EXPECT_EQ(x, test::rosenbrock_start<T>(2));
  }
}

TYPED_TEST(MinimiseFailures, RefusesAStartWithoutAValue) {
  using T = TypeParam;
  for (const auto& optimiser : test::optimisers<T>(1e-3)) {
    SCOPED_TRACE(optimiser.name);
    for (double value : {kNan, kInfinity, 1.0}) {
      for (double slope : {kNan, -kInfinity}) {
        auto problem = valley<T>();
        problem.objective.evaluate = [=](std::span<const T>, std::span<T> gradient) {
          gradient[0] = T{1};
          gradient[1] = static_cast<T>(slope);
          return value;
        };
        std::vector<T> x{T(0.5), T(0.25)};
        const std::string error = error_of<T>(optimiser, problem, x);
        EXPECT_THAT(error, AllOf(HasSubstr(optimiser.name + ": iteration 0: "),
                                 HasSubstr(message(value == 1.0 ? "gradient " : "value ",
                                                   value == 1.0 ? slope : value))));
        EXPECT_EQ(error.find(" at 1") != std::string::npos, value == 1.0) << error;
        EXPECT_EQ(x, (std::vector<T>{T(0.5), T(0.25)}));
      }
    }
    std::vector<T> x{T(1), static_cast<T>(kNan)};
    EXPECT_THAT(error_of<T>(optimiser, valley<T>(), x), HasSubstr("finite start, got nan at 1"));
  }
}

TYPED_TEST(MinimiseFailures, ShortensStepsThatLeaveTheDomain) {
  using T = TypeParam;
  for (const auto& optimiser : test::optimisers<T>(1.9)) {
    SCOPED_TRACE(optimiser.name);
    for (double outside : {kNan, kInfinity, -kInfinity}) {
      for (bool in_gradient : {false, true}) {
        auto problem = valley<T>();
        int met = 0;
        problem.objective.evaluate = [&, inner = problem.objective.evaluate](
                                         std::span<const T> x, std::span<T> gradient) {
          const double value = inner(x, gradient);
          if (x[0] > 0.7 && x[1] > 0.7) return value;
          ++met;
          if (!in_gradient) return outside;
          for (T& slope : gradient) slope = T{0};
          gradient[1] = static_cast<T>(outside);
          return 0.0;
        };
        std::vector<T> x{T(1.9), T(30)};
        MinimiseOptions<T> options;
        options.max_iterations = 4000;
        options.gradient_tolerance = 1e-3;
        const MinimiseResult result = optimiser.run(problem, x, options);
        EXPECT_GT(met, 0);
        EXPECT_EQ(result.stop, Stop::gradient) << result.gradient_norm;
        EXPECT_NEAR(x[0], 1, 2e-3);
        EXPECT_NEAR(x[1], 1, 2e-3);
      }
    }
  }
}

TYPED_TEST(MinimiseFailures, GivesUpWhereNoStepHasAValue) {
  using T = TypeParam;
  for (const auto& optimiser : test::optimisers<T>(1e-3)) {
    SCOPED_TRACE(optimiser.name);
    for (int good : {1, 4, 9}) {
      auto problem = test::rosenbrock<T>();
      problem.objective.evaluate = [=, inner = problem.objective.evaluate, count = 0](
                                       auto x, auto gradient) mutable {
        const double value = inner(x, gradient);
        return ++count > good ? kNan : value;
      };
      std::vector<T> x = test::rosenbrock_start<T>(2);
      std::vector<T> last;
      int iteration = 0;
      MinimiseOptions<T> options;
      options.callback = [&](const Iterate<T>& now) {
        last.assign(now.x.begin(), now.x.end());
        iteration = now.iteration;
        return true;
      };
      const std::string error = error_of<T>(optimiser, problem, x, options);
      EXPECT_THAT(error, HasSubstr(message(optimiser.name, ": iteration ", iteration + 1, ": ")));
      EXPECT_THAT(error, HasSubstr("got value nan however short the step"));
      EXPECT_EQ(x, last);
    }
    // No value anywhere but at the start, where ever shorter steps lead back to.
    auto problem = test::rosenbrock<T>();
    problem.objective.evaluate = [inner = problem.objective.evaluate](auto x, auto gradient) {
      const std::vector<T> start = test::rosenbrock_start<T>(2);
      const double value = inner(x, gradient);
      return x[0] == start[0] && x[1] == start[1] ? value : -kInfinity;
    };
    std::vector<T> x = test::rosenbrock_start<T>(2);
    EXPECT_THAT(
        error_of<T>(optimiser, problem, x),
        HasSubstr(": iteration 1: expected a finite objective, got value -inf however short"));
    EXPECT_EQ(x, test::rosenbrock_start<T>(2));
  }
}

TYPED_TEST(MinimiseFailures, EvaluatesAtNumbersOnly) {
  using T = TypeParam;
  // So flat that Newton's step overflows, so steep that the first-order ones do.
  const auto steep = test::separable<T>([](double x) { return 1e30 * x; },
                                        [](double) { return 1e30; }, [](double) { return 1e-37; });
  auto problem = steep;
  problem.objective.evaluate = [&](std::span<const T> x, std::span<T> gradient) {
    EXPECT_TRUE(std::isfinite(x[0]));
    return steep.objective.evaluate(x, gradient);
  };
  for (const auto& optimiser : test::optimisers<T>(sizeof(T) == 4 ? 1e38 : 1e308)) {
    SCOPED_TRACE(optimiser.name);
    std::vector<T> x{T(1)};
    MinimiseOptions<T> options;
    options.max_iterations = 400;
    const std::string error = error_of<T>(optimiser, problem, x, options);
    EXPECT_TRUE(error.empty() || error.find("got a step of") != std::string::npos) << error;
    EXPECT_TRUE(std::isfinite(x[0]));
  }
}

}  // namespace
}  // namespace blurfield
