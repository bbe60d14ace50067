// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/newton_cg.h"

#include <gmock/gmock.h>

#include "tests/support/minima.h"

namespace blurfield {
namespace {

template <class T>
NewtonCgOptions<T> long_run(double gradient_tolerance) {
  NewtonCgOptions<T> options;
  options.max_iterations = 1000;
  options.gradient_tolerance = gradient_tolerance;
  return options;
}

TEST(NewtonCg, ReachesTheMinimaOfMoreGarbowHillstrom) {
  for (const test::LeastSquares& problem : test::more_garbow_hillstrom()) {
    SCOPED_TRACE(problem.name);
    std::vector<double> x = problem.start;
    const auto result =
        newton_cg(test::objective_of<double>(problem), std::span(x), long_run<double>(1e-9));
    EXPECT_EQ(result.stop, Stop::gradient);
    test::expect_minimum(problem, x, result);
    EXPECT_LE(result.iterations, 160);
  }
}

TEST(NewtonCg, ReachesThemInFloat) {
  for (const char* name : {"Rosenbrock", "Beale", "Bard", "extended Rosenbrock"}) {
    SCOPED_TRACE(name);
    const test::LeastSquares& problem = test::more_garbow_hillstrom(name);
    std::vector<float> x(problem.start.begin(), problem.start.end());
    const auto result =
        newton_cg(test::objective_of<float>(problem), std::span(x), long_run<float>(3e-4));
    EXPECT_EQ(result.stop, Stop::gradient);
    EXPECT_NEAR(result.value, problem.minima[0], 1e-5);
  }
}

TEST(NewtonCg, SolvesAnIllConditionedQuadratic) {
  const test::Quadratic quadratic(1000, 1e6);
  const auto problem = quadratic.problem();
  std::vector<double> x(1000);
  auto options = long_run<double>(1e-8);
  options.cg_iterations = 5000;
  const auto result = newton_cg(problem.objective, std::span(x), options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_LT(result.value, 1e-14);
  EXPECT_LE(result.iterations, 30);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], quadratic.minimum[i], 1e-6);
}

// x^2 - y^2 + y^4 / 4 has a saddle at 0 and minima of -1 at y = +-sqrt 2.
TEST(NewtonCg, LeavesASaddle) {
  Objective<double> saddle;
  saddle.evaluate = [](std::span<const double> x, std::span<double> gradient) {
    if (!gradient.empty()) {
      gradient[0] = 2 * x[0];
      gradient[1] = -2 * x[1] + std::pow(x[1], 3);
    }
    return x[0] * x[0] - x[1] * x[1] + std::pow(x[1], 4) / 4;
  };
  saddle.hessian_product = [](std::span<const double> x, std::span<const double> v,
                              std::span<double> product) {
    product[0] = 2 * v[0];
    product[1] = (-2 + 3 * x[1] * x[1]) * v[1];
  };
  for (double start_x : {0.0, 1.0}) {
    for (double start_y : {1e-8, -1e-3, 0.5}) {
      std::vector<double> x{start_x, start_y};
      const auto result = newton_cg(saddle, std::span(x), long_run<double>(1e-9));
      EXPECT_EQ(result.stop, Stop::gradient);
      EXPECT_NEAR(result.value, -1, 1e-14) << start_x << ", " << start_y;
      EXPECT_NEAR(x[1], std::copysign(std::sqrt(2.0), start_y), 1e-8);
      EXPECT_LE(result.iterations, 15);
    }
  }
}

TEST(NewtonCg, RefusesBadOptionsAndProducts) {
  const auto error = [](const Objective<double>& objective, int cg_iterations) -> std::string {
    NewtonCgOptions<double> options;
    options.cg_iterations = cg_iterations;
    std::vector<double> x = test::rosenbrock_start<double>(2);
    try {
      newton_cg(objective, std::span(x), options);
    } catch (const Error& e) {
      EXPECT_EQ(x, test::rosenbrock_start<double>(2));
      return e.what();
    }
    return "";
  };
  using ::testing::HasSubstr;
  Objective<double> objective = test::rosenbrock<double>().objective;
  EXPECT_THAT(error(objective, 0), HasSubstr("newton_cg: expected cg_iterations >= 1, got 0"));
  objective.hessian_product = [](auto, auto, auto product) { product[0] = product[1] = NAN; };
  EXPECT_THAT(error(objective, 10), HasSubstr("newton_cg: expected finite products"));
  objective.hessian_product = nullptr;
  EXPECT_THAT(error(objective, 10), HasSubstr("expected an objective with a Hessian product"));
}

}  // namespace
}  // namespace blurfield
