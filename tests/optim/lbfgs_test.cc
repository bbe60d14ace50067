// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/lbfgs.h"

#include <gmock/gmock.h>
#include <nlopt.h>

#include "tests/support/minima.h"

namespace blurfield {
namespace {

using test::Values;

template <class T>
LbfgsOptions<T> long_run(double gradient_tolerance) {
  LbfgsOptions<T> options;
  options.max_iterations = 5000;
  options.gradient_tolerance = gradient_tolerance;
  return options;
}

TEST(Lbfgs, ReachesTheMinimaOfMoreGarbowHillstrom) {
  for (const test::LeastSquares& problem : test::more_garbow_hillstrom()) {
    SCOPED_TRACE(problem.name);
    Values x = problem.start;
    const auto result =
        lbfgs(test::objective_of<double>(problem), std::span(x), long_run<double>(1e-7));
    EXPECT_EQ(result.stop, Stop::gradient);
    test::expect_minimum(problem, x, result);
    EXPECT_LE(result.evaluations, 250);
  }
}

TEST(Lbfgs, ReachesThemInFloat) {
  for (const char* name : {"Rosenbrock", "Beale", "Bard", "extended Rosenbrock"}) {
    SCOPED_TRACE(name);
    const test::LeastSquares& problem = test::more_garbow_hillstrom(name);
    std::vector<float> x(problem.start.begin(), problem.start.end());
    const auto result =
        lbfgs(test::objective_of<float>(problem), std::span(x), long_run<float>(2e-3));
    EXPECT_EQ(result.stop, Stop::gradient);
    EXPECT_NEAR(result.value, problem.minima[0], 1e-5);
  }
}

struct Counted {
  const test::LeastSquares* problem = nullptr;
  int evaluations = 0;
};

double evaluate_for_nlopt(unsigned size, const double* x, double* gradient, void* data) {
  auto& counted = *static_cast<Counted*>(data);
  ++counted.evaluations;
  Values g;
  const double value = counted.problem->value_and_gradient(Values(x, x + size), g);
  if (gradient) std::ranges::copy(g, gradient);
  return value;
}

// The value that NLopt's L-BFGS reaches, and its evaluations.
std::pair<double, int> by_nlopt(const test::LeastSquares& problem) {
  Counted counted{&problem};
  const auto size = static_cast<unsigned>(problem.start.size());
  const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> optimiser(
      nlopt_create(NLOPT_LD_LBFGS, size), nlopt_destroy);
  nlopt_set_min_objective(optimiser.get(), evaluate_for_nlopt, &counted);
  nlopt_set_vector_storage(optimiser.get(), 10);
  nlopt_set_ftol_rel(optimiser.get(), 1e-14);
  nlopt_set_maxeval(optimiser.get(), 5000);
  Values x = problem.start;
  double value = 0.0;
  nlopt_optimize(optimiser.get(), x.data(), &value);
  return {value, counted.evaluations};
}

TEST(Lbfgs, IsNoWorseThanNlopt) {
  int ours = 0;
  int theirs = 0;
  int compared = 0;
  for (const test::LeastSquares& problem : test::more_garbow_hillstrom()) {
    SCOPED_TRACE(problem.name);
    const auto [value, evaluations] = by_nlopt(problem);
    // Two minima: NLopt's first step happens to lead to the other one.
    if (problem.name == "Freudenstein and Roth") continue;
    Values x = problem.start;
    const auto result =
        lbfgs(test::objective_of<double>(problem), std::span(x), long_run<double>(1e-7));
    EXPECT_LE(result.value, value + 1e-8 * std::max(1.0, value));
    // Where NLopt gives up early, its count says nothing.
    if (value > problem.minima[0] * (1 + 1e-6) + 1e-8) continue;
    ++compared;
    ours += result.evaluations;
    theirs += evaluations;
    EXPECT_LE(result.evaluations, 3 * evaluations + 10);
  }
  EXPECT_GE(compared, 16);
  EXPECT_LE(ours, 1.1 * theirs);
}

TEST(Lbfgs, SolvesAnIllConditionedQuadratic) {
  const test::Quadratic quadratic(1000, 1e6);
  const auto problem = quadratic.problem();
  for (int memory : {10, 40}) {
    Values x(1000);
    auto options = long_run<double>(1e-4);
    options.max_iterations = 9000;
    options.memory = memory;
    const auto result = lbfgs(problem.objective, std::span(x), options);
    EXPECT_EQ(result.stop, Stop::gradient);
    EXPECT_LT(result.value, 1e-8);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], quadratic.minimum[i], 1e-3);
  }
}

TEST(Lbfgs, NeverRises) {
  Values x = test::rosenbrock_start<double>(100);
  auto options = long_run<double>(1e-9);
  double before = std::numeric_limits<double>::infinity();
  options.callback = [&](const Iterate<double>& now) {
    EXPECT_LT(now.value, before);
    before = now.value;
    return true;
  };
  lbfgs(test::rosenbrock<double>().objective, std::span(x), options);
}

TEST(Lbfgs, SaysWhereRoundingEndsTheDescent) {
  Objective<double> objective = test::rosenbrock<double>().objective;
  objective.evaluate = [inner = objective.evaluate](auto x, auto gradient) {
    return 1e6 + inner(x, gradient);
  };
  Values x = test::rosenbrock_start<double>(10);
  const auto result = lbfgs(objective, std::span(x), long_run<double>(0.0));
  EXPECT_TRUE(result.stop == Stop::no_descent || result.stop == Stop::gradient);
  EXPECT_LT(result.iterations, 500);
  EXPECT_NEAR(result.value, 1e6, 1e-8);
}

TEST(Lbfgs, FindsMinimaOnBounds) {
  const auto objective = test::rosenbrock<double>().objective;
  struct Case {
    Values lower, upper, solution;
  };
  constexpr double kFree = std::numeric_limits<double>::infinity();
  // The minimum for x[0] <= a < 1 is (a, a^2).
  for (const Case& one :
       {Case{{-2, -2}, {0.5, 2}, {0.5, 0.25}}, Case{{-kFree, 1.5}, {kFree, kFree}, {}},
        Case{{-1.5, -2}, {kFree, 0.5}, {}}, Case{{1.25, 1}, {2, kFree}, {1.25, 1.5625}},
        Case{{-4, -3}, {4, 3}, {1, 1}}, Case{{0.3, 0.7}, {0.3, 0.7}, {0.3, 0.7}},
        Case{{}, {0.5, 0.1}, {}}, Case{{1.5, 0}, {}, {1.5, 2.25}}}) {
    for (Values x : {Values{-1.2, 1}, Values{3, -3}, Values{0, 0}}) {
      auto options = long_run<double>(1e-8);
      options.bounds = {one.lower, one.upper};
      const auto result = lbfgs(objective, std::span(x), options);
      EXPECT_EQ(result.stop, Stop::gradient);
      EXPECT_LE(result.evaluations, 100);
      test::expect_kkt(objective, x, options.bounds, 1e-8);
      for (std::size_t i = 0; i < one.solution.size(); ++i) {
        EXPECT_NEAR(x[i], one.solution[i], 1e-8);
      }
    }
  }
}

// A quadratic whose solution within bounds is known: the gradient there is chosen first.
TEST(Lbfgs, FindsManyActiveBounds) {
  const test::Quadratic quadratic(1000, 1e4);
  Random random(17);
  Values solution(1000);
  Values slope(1000);  // of the objective at the solution
  Values lower(1000);
  Values upper(1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    solution[i] = random.normal();
    lower[i] = solution[i] - random.uniform();
    upper[i] = solution[i] + random.uniform();
    if (i % 3 == 0) lower[i] = solution[i], slope[i] = random.uniform(0.1, 1);
    if (i % 3 == 1) upper[i] = solution[i], slope[i] = -random.uniform(0.1, 1);
  }
  const auto along = quadratic.multiply(solution);
  Objective<double> objective;
  objective.evaluate = [&](std::span<const double> x, std::span<double> gradient) {
    const Values product = quadratic.multiply(x);
    double value = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double linear = slope[i] - along[i];
      value += x[i] * (product[i] / 2 + linear);
      if (!gradient.empty()) gradient[i] = product[i] + linear;
    }
    return value;
  };
  Values x(1000);
  auto options = long_run<double>(1e-6);
  options.bounds = {lower, upper};
  const auto result = lbfgs(objective, std::span(x), options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_LE(result.evaluations, 2000);
  test::expect_kkt(objective, x, options.bounds, 1e-6);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(x[i], solution[i], 1e-5);
    EXPECT_TRUE(i % 3 != 0 || x[i] == lower[i]) << i;
    EXPECT_TRUE(i % 3 != 1 || x[i] == upper[i]) << i;
  }
}

TEST(Lbfgs, GivesTheSameWithinBoundsForAnyNumberOfThreads) {
  const std::size_t size = 70000;
  const Values upper(size, 0.5);
  Values alone;
  for (int threads : {1, 2, 5}) {
    Values x = test::rosenbrock_start<double>(size);
    LbfgsOptions<double> options;
    options.max_iterations = 9;
    options.threads = threads;
    options.bounds.upper = upper;
    lbfgs(test::rosenbrock<double>().objective, std::span(x), options);
    if (threads == 1) alone = x;
    EXPECT_TRUE(x == alone) << threads;
  }
}

TEST(Lbfgs, RefusesBadOptions) {
  const auto error = [](int memory, const Bounds<double>& bounds) -> std::string {
    LbfgsOptions<double> options;
    options.memory = memory;
    options.bounds = bounds;
    Values x{1, 2};
    try {
      lbfgs(test::rosenbrock<double>().objective, std::span(x), options);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  using ::testing::HasSubstr;
  const Values three{1, 2, 3};
  const Values low{0, 0};
  const Values high{1, -1};
  const Values none{0, NAN};
  EXPECT_THAT(error(0, {}), HasSubstr("lbfgs: expected memory >= 1, got 0"));
  EXPECT_THAT(error(5, {{}, three}), HasSubstr("upper bounds of 1 or 2 elements, got 3"));
  EXPECT_THAT(error(5, {low, high}), HasSubstr("lower <= upper, got 0 and -1 at 1"));
  EXPECT_THAT(error(5, {none, {}}), HasSubstr("lower bounds that are numbers, got nan at 1"));
}

}  // namespace
}  // namespace blurfield
