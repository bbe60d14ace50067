// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/conjugate_gradient.h"

#include <gmock/gmock.h>

#include "blurfield/base/error.h"
#include "tests/support/optimisers.h"

namespace blurfield {
namespace {

using ::testing::HasSubstr;

template <class T>
LinearOperator<T> diagonal(std::vector<T> d) {
  return [d = std::move(d)](std::span<const T> v, std::span<T> product) {
    for (std::size_t i = 0; i < v.size(); ++i) product[i] = d[i] * v[i];
  };
}

TEST(ConjugateGradient, SolvesIllConditionedSystems) {
  const test::Quadratic a(1000, 1e6);
  const LinearOperator<double> multiply = [&](std::span<const double> v, std::span<double> out) {
    std::ranges::copy(a.multiply(v), out.begin());
  };
  const std::vector<double> b = a.multiply(a.minimum);
  std::vector<double> x(1000);
  ConjugateGradientOptions options;
  options.max_iterations = 20000;
  options.tolerance = 1e-12;
  const auto result = conjugate_gradient<double>(multiply, b, x, options);
  EXPECT_EQ(result.stop, ConjugateGradientStop::converged);
  EXPECT_LE(result.residual, 1e-12);
  double largest = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(x[i] - a.minimum[i]));
  }
  EXPECT_LT(largest, 1e-5);
  // From near the solution there is less to do.
  for (double& value : x) value += 1e-6;
  EXPECT_LT(conjugate_gradient<double>(multiply, b, x, options).iterations, result.iterations);
}

TEST(ConjugateGradient, StopsWhereNothingIsGained) {
  const test::Quadratic a(1000, 1e6);
  const LinearOperator<double> multiply = [&](std::span<const double> v, std::span<double> out) {
    std::ranges::copy(a.multiply(v), out.begin());
  };
  const std::vector<double> b = a.multiply(a.minimum);
  // How far x . A x / 2 - b . x is above its least value.
  const auto excess = [&](double least_gain, ConjugateGradientResult& result) {
    std::vector<double> x(1000);
    result = conjugate_gradient<double>(
        multiply, b, x, {.max_iterations = 20000, .tolerance = 1e-12, .least_gain = least_gain});
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= a.minimum[i];
    const std::vector<double> ax = a.multiply(x);
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * ax[i] / 2;
    return sum;
  };
  ConjugateGradientResult rough;
  ConjugateGradientResult fine;
  ConjugateGradientResult full;
  const double start = excess(INFINITY, rough);  // after one iteration
  EXPECT_EQ(rough.iterations, 1);
  const double left = excess(1e-6 * start, fine);
  EXPECT_EQ(fine.stop, ConjugateGradientStop::converged);
  EXPECT_LT(left, 1e-3 * start);
  excess(0.0, full);
  EXPECT_LT(2 * fine.iterations, full.iterations);
  EXPECT_LE(full.residual, 1e-12);
}

TEST(ConjugateGradient, NeedsAsManyStepsAsThereAreEigenvalues) {
  std::vector<double> d(500);
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = std::vector{1.0, 5.0, 70.0}[i % 3];
  const std::vector<double> b(500, 1.0);
  std::vector<double> x(500);
  const auto plain = conjugate_gradient<double>(diagonal(d), b, x);
  EXPECT_EQ(plain.iterations, 3);
  for (std::size_t i = 0; i < d.size(); ++i) EXPECT_NEAR(x[i], 1 / d[i], 1e-12);
  // The inverse as preconditioner needs one.
  std::vector<double> inverse(500);
  for (std::size_t i = 0; i < d.size(); ++i) inverse[i] = 1 / d[i];
  for (double start : {0.0, 0.3}) {
    std::fill(x.begin(), x.end(), start);
    const auto result = conjugate_gradient<double>(diagonal(d), b, x, {}, diagonal(inverse));
    EXPECT_EQ(result.iterations, 1);
    for (std::size_t i = 0; i < d.size(); ++i) EXPECT_NEAR(x[i], 1 / d[i], 1e-12);
  }
}

TEST(ConjugateGradient, WorksInFloat) {
  const std::vector<float> d{1, 10, 100, 1000};
  const std::vector<float> b{4, 3, 2, 1};
  std::vector<float> x(4);
  ConjugateGradientOptions options;
  options.tolerance = 1e-6;
  EXPECT_EQ(conjugate_gradient<float>(diagonal(d), b, x, options).stop,
            ConjugateGradientStop::converged);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(x[i], b[i] / d[i], 1e-5);
}

TEST(ConjugateGradient, LeavesTheNullSpaceAlone) {
  const std::vector<double> d{2, 0, 3, 0};
  const std::vector<double> b{2, 0, 6, 0};
  std::vector<double> x{0, 7, 0, -1};
  EXPECT_EQ(conjugate_gradient<double>(diagonal(d), b, x).stop, ConjugateGradientStop::converged);
  EXPECT_NEAR(x[0], 1, 1e-12);
  EXPECT_NEAR(x[2], 2, 1e-12);
  EXPECT_EQ(x[1], 7);
  EXPECT_EQ(x[3], -1);
}

TEST(ConjugateGradient, SaysWhyItStopped) {
  const std::vector<double> b{1, 1, 1};
  std::vector<double> x(3);
  ConjugateGradientOptions options;
  options.max_iterations = 2;
  const auto few = conjugate_gradient<double>(diagonal<double>({1, 20, 300}), b, x, options);
  EXPECT_EQ(few.stop, ConjugateGradientStop::iterations);
  EXPECT_EQ(few.iterations, 2);
  EXPECT_GT(few.residual, options.tolerance);
  std::fill(x.begin(), x.end(), 0.0);
  const auto bent = conjugate_gradient<double>(diagonal<double>({-1, -2, -3}), b, x);
  EXPECT_EQ(bent.stop, ConjugateGradientStop::indefinite);
  EXPECT_EQ(x, std::vector<double>(3));
  x = {1, 2, 3};
  const std::vector<double> zero(3);
  const auto trivial = conjugate_gradient<double>(diagonal<double>({1, 2, 3}), zero, x);
  EXPECT_EQ(trivial.stop, ConjugateGradientStop::converged);
  EXPECT_EQ(x, zero);
}

TEST(ConjugateGradient, GivesTheSameForAnyNumberOfThreads) {
  std::vector<double> d(70000);
  std::vector<double> b(d.size());
  Random random(8);
  for (std::size_t i = 0; i < d.size(); ++i) {
    d[i] = random.uniform(1, 100);
    b[i] = random.normal();
  }
  std::vector<double> alone;
  for (int threads : {1, 2, 5}) {
    std::vector<double> x(d.size());
    ConjugateGradientOptions options;
    options.threads = threads;
    conjugate_gradient<double>(diagonal(d), b, x, options);
    if (threads == 1) alone = x;
    EXPECT_TRUE(x == alone) << threads;
  }
}

TEST(ConjugateGradient, RefusesWhatItCannotSolve) {
  const auto error = [](const LinearOperator<double>& a, std::vector<double> b,
                        const LinearOperator<double>& m, int iterations) -> std::string {
    std::vector<double> x(2);
    ConjugateGradientOptions options;
    options.max_iterations = iterations;
    try {
      conjugate_gradient<double>(a, b, x, options, m);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  const auto fine = diagonal<double>({1, 2});
  EXPECT_THAT(error({}, {1, 1}, {}, 9), HasSubstr("operator"));
  EXPECT_THAT(error(fine, {1, 1, 1}, {}, 9), HasSubstr("2 elements, got 3"));
  EXPECT_THAT(error(fine, {1, 1}, {}, -1), HasSubstr("max_iterations >= 0, got -1"));
  EXPECT_THAT(error(fine, {1, NAN}, {}, 9), HasSubstr("finite right side"));
  EXPECT_THAT(error(diagonal<double>({1, NAN}), {1, 1}, {}, 9), HasSubstr("finite products"));
  EXPECT_THAT(error(fine, {1, 1}, diagonal<double>({-1, -1}), 9),
              HasSubstr("positive preconditioner"));
}

}  // namespace
}  // namespace blurfield
