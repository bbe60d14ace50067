// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/separable_gauss_newton.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "blurfield/base/error.h"

namespace blurfield::test {
namespace {

// Many Rosenbrock functions at once, f_p = (1 - u)^2 / 2 + 50 (v - u^2)^2, each from a start of its
// own.
template <class T>
struct Valleys {
  explicit Valleys(Index count) : layout{2, 2, count / 2}, x(static_cast<std::size_t>(2 * count)) {
    for (Index p = 0; p < count; ++p) {
      x[layout.at(p, 0)] = static_cast<T>(-1.5 + 0.01 * static_cast<double>(p));
      x[layout.at(p, 1)] = static_cast<T>(1.0 - 0.02 * static_cast<double>(p));
    }
  }

  std::array<double, 2> residual(std::span<const T> at, Index p) const {
    const double u = static_cast<double>(at[layout.at(p, 0)]);
    const double v = static_cast<double>(at[layout.at(p, 1)]);
    return {1 - u, 10 * (v - u * u)};
  }
  Objective<T> objective() const {
    return {[this](std::span<const T> at, std::span<T> gradient) {
              double sum = 0.0;
              for (Index p = 0; p < layout.blocks(); ++p) {
                const auto [r, q] = residual(at, p);
                sum += (r * r + q * q) / 2;
                if (gradient.empty()) continue;
                const double u = static_cast<double>(at[layout.at(p, 0)]);
                gradient[layout.at(p, 0)] = static_cast<T>(-r - 20 * u * q);
                gradient[layout.at(p, 1)] = static_cast<T>(10 * q);
              }
              return sum;
            },
            nullptr};
  }
  SeparableCurvature<T> curvature() {
    return {layout,
            [this](std::span<const T> at, std::span<double> values) {
              for (Index p = 0; p < layout.blocks(); ++p) {
                const auto [r, q] = residual(at, p);
                values[static_cast<std::size_t>(p)] = (r * r + q * q) / 2;
              }
            },
            [this](std::span<const T> at) { point.assign(at.begin(), at.end()); },
            [this](std::span<const T> damping, std::span<const T> gradient, std::span<T> step) {
              for (Index p = 0; p < layout.blocks(); ++p) {
                const std::size_t i = layout.at(p, 0);
                const std::size_t j = layout.at(p, 1);
                const double u = static_cast<double>(point[i]);
                const double size = (1 + 400 * u * u + 100) / 2;
                const double a = 1 + 400 * u * u + static_cast<double>(damping[i]) * size;
                const double b = -200 * u;
                const double c = 100 + static_cast<double>(damping[j]) * size;
                const double det = a * c - b * b;
                step[i] = static_cast<T>((-c * gradient[i] + b * gradient[j]) / det);
                step[j] = static_cast<T>((b * gradient[i] - a * gradient[j]) / det);
              }
            }};
  }

  BlockLayout layout;
  std::vector<T> x;
  std::vector<T> point;
};

template <class T>
class SeparableGaussNewton : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SeparableGaussNewton, Types);

TYPED_TEST(SeparableGaussNewton, SolvesEveryBlock) {
  using T = TypeParam;
  Valleys<T> valleys(200);
  SeparableGaussNewtonOptions<T> options;
  options.max_iterations = 60;
  const auto result =
      separable_gauss_newton<T>(valleys.objective(), valleys.curvature(), valleys.x, options);
  EXPECT_LT(result.value, sizeof(T) == 8 ? 1e-20 : 1e-6);
  for (T value : valleys.x) EXPECT_NEAR(value, 1.0, sizeof(T) == 8 ? 1e-9 : 1e-2);
}

TYPED_TEST(SeparableGaussNewton, DoesNotDependOnTheNumberOfThreads) {
  using T = TypeParam;
  std::vector<T> first;
  for (int threads : {1, 2, 5}) {
    Valleys<T> valleys(90000);
    SeparableGaussNewtonOptions<T> options;
    options.max_iterations = 3;
    options.threads = threads;
    separable_gauss_newton<T>(valleys.objective(), valleys.curvature(), valleys.x, options);
    if (first.empty()) first = valleys.x;
    EXPECT_EQ(first, valleys.x) << threads;
  }
}

TYPED_TEST(SeparableGaussNewton, StaysInTheBoxAndStepsNoFurtherThanAllowed) {
  using T = TypeParam;
  Valleys<T> valleys(10);
  const std::vector<T> upper(20, T(0.5));
  SeparableGaussNewtonOptions<T> options;
  options.bounds.upper = upper;
  options.max_step = 0.25;
  std::vector<T> before;
  options.callback = [&](const Iterate<T>& iterate) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_LE(std::abs(iterate.x[i] - before[i]), T(0.2501));
    }
    before.assign(iterate.x.begin(), iterate.x.end());
    return true;
  };
  std::ranges::fill(valleys.x, T(0.2));
  separable_gauss_newton<T>(valleys.objective(), valleys.curvature(), valleys.x, options);
  for (Index p = 0; p < 10; ++p) {
    EXPECT_NEAR(valleys.x[valleys.layout.at(p, 0)], 0.5, 0.02);
    EXPECT_LE(valleys.x[valleys.layout.at(p, 0)], T(0.5));
  }
}

TYPED_TEST(SeparableGaussNewton, RefusesSizesAndOptionsThatDoNotFit) {
  using T = TypeParam;
  Valleys<T> valleys(10);
  std::vector<T> shorter(19);
  EXPECT_THROW(separable_gauss_newton<T>(valleys.objective(), valleys.curvature(), shorter), Error);
  SeparableGaussNewtonOptions<T> options;
  options.damping = 0.0;
  EXPECT_THROW(
      separable_gauss_newton<T>(valleys.objective(), valleys.curvature(), valleys.x, options),
      Error);
}

}  // namespace
}  // namespace blurfield::test
