// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/gauss_newton.h"

#include <gmock/gmock.h>

#include "tests/support/minima.h"

namespace blurfield {
namespace {

using test::Values;

template <class T>
GaussNewtonOptions<T> long_run(double gradient_tolerance) {
  GaussNewtonOptions<T> options;
  options.max_iterations = 1000;
  options.gradient_tolerance = gradient_tolerance;
  return options;
}

TEST(GaussNewton, ReachesTheMinimaOfMoreGarbowHillstrom) {
  for (const test::LeastSquares& problem : test::more_garbow_hillstrom()) {
    SCOPED_TRACE(problem.name);
    Values x = problem.start;
    const auto result =
        gauss_newton(test::objective_of<double>(problem), test::curvature_of<double>(problem),
                     std::span(x), long_run<double>(1e-7));
    // Large residuals slow it down to where the value's rounding ends the descent.
    EXPECT_TRUE(result.stop == Stop::gradient ||
                (result.stop == Stop::no_descent && result.value > 1));
    test::expect_minimum(problem, x, result);
    EXPECT_LE(result.iterations, problem.minima[0] > 1000 ? 500 : 260);
  }
}

TEST(GaussNewton, ReachesThemInFloat) {
  for (const char* name : {"Rosenbrock", "Beale", "Bard", "extended Rosenbrock"}) {
    SCOPED_TRACE(name);
    const test::LeastSquares& problem = test::more_garbow_hillstrom(name);
    std::vector<float> x(problem.start.begin(), problem.start.end());
    const auto result =
        gauss_newton(test::objective_of<float>(problem), test::curvature_of<float>(problem),
                     std::span(x), long_run<float>(2e-3));
    EXPECT_EQ(result.stop, Stop::gradient);
    EXPECT_NEAR(result.value, problem.minima[0], 1e-5);
  }
}

TEST(GaussNewton, IsQuickWhereResidualsVanish) {
  for (const char* name : {"Rosenbrock", "Beale", "helical valley", "Box", "Bard", "Watson"}) {
    const test::LeastSquares& problem = test::more_garbow_hillstrom(name);
    Values x = problem.start;
    const auto result =
        gauss_newton(test::objective_of<double>(problem), test::curvature_of<double>(problem),
                     std::span(x), long_run<double>(1e-9));
    EXPECT_EQ(result.stop, Stop::gradient) << name;
    EXPECT_LE(result.iterations, 20) << name;
  }
}

TEST(GaussNewton, SolvesAnIllConditionedQuadratic) {
  const test::Quadratic quadratic(1000, 1e6);
  const auto problem = quadratic.problem();
  Values x(1000);
  auto options = long_run<double>(1e-6);
  options.cg_iterations = 5000;
  options.cg_tolerance = 1e-6;
  options.damping = 1e-6;
  const auto result = gauss_newton(problem.objective, problem.curvature, std::span(x), options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_LE(result.iterations, 6);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], quadratic.minimum[i], 1e-5);
}

// The order of calls that the header promises, and the exact inverse as preconditioner.
TEST(GaussNewton, CallsTheCurvatureInOrder) {
  const auto inner = test::rosenbrock<double>();
  Values evaluated;
  Values diagonal;
  int linearised = 0;
  int preconditioned = 0;
  int accepted = 0;
  bool due = true;
  Values current;
  Objective<double> objective;
  objective.evaluate = [&](std::span<const double> x, std::span<double> gradient) {
    EXPECT_FALSE(gradient.empty());
    evaluated.assign(x.begin(), x.end());
    return inner.objective.evaluate(x, gradient);
  };
  Curvature<double> curvature = inner.curvature;
  curvature.linearise = [&](std::span<const double> x) {
    EXPECT_TRUE(std::ranges::equal(x, evaluated));
    EXPECT_TRUE(std::ranges::equal(x, current));
    EXPECT_TRUE(std::exchange(due, false));
    ++linearised;
    inner.curvature.linearise(x);
  };
  curvature.scale = [&](std::span<double> d) {
    for (std::size_t i = 0; i < d.size(); i += 2) {
      d[i] = 800 * current[i] * current[i] + 2;
      d[i + 1] = 200;
    }
    diagonal.assign(d.begin(), d.end());
  };
  // The inverse of [[a, b], [b, c]] = B + damping D for each pair.
  curvature.precondition = [&](double damping, std::span<const double> v, std::span<double> out) {
    EXPECT_GT(damping, 0);
    ++preconditioned;
    for (std::size_t i = 0; i < v.size(); i += 2) {
      const double a = (1 + damping) * diagonal[i];
      const double b = -400 * current[i];
      const double c = (1 + damping) * diagonal[i + 1];
      const double p = v[i];
      const double q = v[i + 1];
      out[i] = (c * p - b * q) / (a * c - b * b);
      out[i + 1] = (a * q - b * p) / (a * c - b * b);
    }
  };
  auto options = long_run<double>(1e-9);
  options.callback = [&](const Iterate<double>& now) {
    accepted = now.iteration;
    due = true;
    current.assign(now.x.begin(), now.x.end());
    return true;
  };
  Values x = test::rosenbrock_start<double>(20);
  const auto result = gauss_newton(objective, curvature, std::span(x), options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_EQ(linearised, accepted);
  // Each solve takes one product, and one more tells the decrease to expect.
  const int solves = result.evaluations - 1;
  EXPECT_EQ(result.products, 2 * solves);
  EXPECT_EQ(preconditioned, 2 * solves);
}

TEST(GaussNewton, MovesNoParameterFurtherThanAllowed) {
  const auto problem = test::rosenbrock<double>();
  auto options = long_run<double>(1e-9);
  options.max_step = 0.125;
  Values before = test::rosenbrock_start<double>(6);
  double furthest = 0.0;
  options.callback = [&](const Iterate<double>& now) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      furthest = std::max(furthest, std::abs(now.x[i] - before[i]));
    }
    before.assign(now.x.begin(), now.x.end());
    return true;
  };
  Values x = before;
  const auto result = gauss_newton(problem.objective, problem.curvature, std::span(x), options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_NEAR(furthest, 0.125, 1e-15);
  EXPECT_LT(result.value, 1e-16);
}

TEST(GaussNewton, FindsMinimaOnBounds) {
  const auto problem = test::rosenbrock<double>();
  const Values lower{-2, -2, 0, 0.5};
  const Values upper{0.5, 2, 2, 2};
  for (Values x : {Values{-1.2, 1, -1.2, 1}, Values{3, 3, 3, 3}, Values{0, 0, 0, 0}}) {
    auto options = long_run<double>(1e-8);
    options.bounds = {lower, upper};
    const auto result = gauss_newton(problem.objective, problem.curvature, std::span(x), options);
    EXPECT_EQ(result.stop, Stop::gradient);
    test::expect_kkt(problem.objective, x, options.bounds, 1e-8);
    EXPECT_EQ(x[0], 0.5);
    EXPECT_NEAR(x[1], 0.25, 1e-8);
    EXPECT_NEAR(x[2], 1, 1e-7);
    EXPECT_NEAR(x[3], 1, 1e-7);
  }
}

TEST(GaussNewton, RaisesDampingWhereTheCurvatureIsNegative) {
  // x^4 / 4 - x^2 / 2 with its own second derivative, negative at the start.
  const auto problem = test::separable<double>(
      [](double x) { return std::pow(x, 4) / 4 - x * x / 2; },
      [](double x) { return x * x * x - x; }, [](double x) { return 3 * x * x - 1; });
  Values x{0.1, -0.2};
  const auto result =
      gauss_newton(problem.objective, problem.curvature, std::span(x), long_run<double>(1e-9));
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_NEAR(x[0], 1, 1e-9);
  EXPECT_NEAR(x[1], -1, 1e-9);
}

TEST(GaussNewton, RefusesBadOptions) {
  const auto error = [](auto change) -> std::string {
    GaussNewtonOptions<double> options;
    auto problem = test::rosenbrock<double>();
    change(options, problem.curvature);
    Values x{1, 2};
    try {
      gauss_newton(problem.objective, problem.curvature, std::span(x), options);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(error([](auto& o, auto&) { o.damping = 0; }),
              HasSubstr("gauss_newton: expected damping > 0, got 0"));
  EXPECT_THAT(error([](auto& o, auto&) { o.max_step = 0; }), HasSubstr("max_step > 0, got 0"));
  EXPECT_THAT(error([](auto& o, auto&) { o.cg_iterations = 0; }), HasSubstr("cg_iterations >= 1"));
  EXPECT_THAT(error([](auto& o, auto&) { o.cg_tolerance = 1; }), HasSubstr("cg_tolerance < 1"));
  EXPECT_THAT(error([](auto&, auto& c) { c.multiply = nullptr; }), HasSubstr("curvature"));
  EXPECT_THAT(error([](auto&, auto& c) {
                c.multiply = [](auto, auto product) { product[0] = product[1] = NAN; };
              }),
              HasSubstr("gauss_newton: expected finite products"));
}

}  // namespace
}  // namespace blurfield
