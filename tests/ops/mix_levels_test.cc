// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/mix_levels.h"

#include <gtest/gtest.h>

#include <numeric>

#include "blurfield/ops/detail/tolerance/nodes.h"
#include "blurfield/ops/gaussian_kernel.h"
#include "blurfield/ops/uniform_blur.h"
#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

using Sigmas = std::vector<double>;

// c_k(ln sigma), straight from the definition.
double lagrange(const Sigmas& sigmas, std::size_t k, double sigma) {
  double c = 1.0;
  for (std::size_t j = 0; j < sigmas.size(); ++j) {
    if (j != k) c *= std::log(sigma / sigmas[j]) / std::log(sigmas[k] / sigmas[j]);
  }
  return c;
}

// sum |sum_k c_k w_k - w| of isotropic 2-D Gaussians, untruncated: over a quarter plane, from the
// 1-D weights.
double interpolation_gap(const Sigmas& sigmas, double sigma) {
  const auto reach = static_cast<int>(9 * sigmas.back()) + 2;
  const auto half = [&](double s) {
    const auto w = gaussian_kernel1d(s, reach);
    return std::vector<double>(w.begin() + reach, w.end());
  };
  const auto own = half(sigma);
  std::vector<std::vector<double>> levels;
  for (double s : sigmas) levels.push_back(half(s));
  double sum = 0.0;
  for (std::size_t y = 0; y < own.size(); ++y) {
    for (std::size_t x = 0; x < own.size(); ++x) {
      double gap = -own[y] * own[x];
      for (std::size_t k = 0; k < sigmas.size(); ++k) {
        gap += lagrange(sigmas, k, sigma) * levels[k][y] * levels[k][x];
      }
      sum += (y > 0 ? 2 : 1) * (x > 0 ? 2 : 1) * std::abs(gap);
    }
  }
  return sum;
}

TEST(MixLevelSigmas, ErrorStaysBelowItsBound) {
  for (const auto& [low, high] : {std::pair{0.3, 0.35},
                                  {0.3, 0.6},
                                  {0.3, 0.75},
                                  {0.35, 0.7},
                                  {0.2, 0.8},
                                  {0.45, 0.5},
                                  {0.3, 3.0},
                                  {0.9, 1.0},
                                  {1.0, 1.02},
                                  {1.0, 1.2},
                                  {1.0, 2.0},
                                  {1.0, 10.0},
                                  {2.0, 3.0},
                                  {5.0, 8.0}}) {
    for (int count : {2, 3, 4, 6, 9, 14}) {
      const double bound = mix_level_error(low, high, count);
      if (bound < 1e-11 || bound > 2) continue;
      const Sigmas sigmas = mix_level_sigmas(low, high, count);
      double worst = 0.0;
      for (int i = 0; i <= 16; ++i) {
        worst = std::max(worst, interpolation_gap(sigmas, low * std::pow(high / low, i / 16.0)));
      }
      EXPECT_LE(worst, bound) << low << ' ' << high << ' ' << count;
      EXPECT_GE(worst, bound / 60) << low << ' ' << high << ' ' << count;
    }
  }
}

TEST(MixLevelSigmas, AreAsManyAsNeeded) {
  for (double tolerance : {1e-2, 1e-3, 1e-5}) {
    for (double high : {1.1, 2.0, 8.0, 64.0, 300.0}) {
      const Sigmas sigmas = mix_level_sigmas(1.0, high, tolerance);
      const int count = static_cast<int>(sigmas.size());
      EXPECT_LE(mix_level_error(1.0, high, count), tolerance);
      EXPECT_TRUE(count == 2 || mix_level_error(1.0, high, count - 1) > tolerance);
      EXPECT_GT(sigmas.front(), 1.0);
      EXPECT_LT(sigmas.back(), high);
      EXPECT_TRUE(std::is_sorted(sigmas.begin(), sigmas.end()));
    }
  }
  EXPECT_EQ(detail::nodes_needed(0.0, 1e-3), 2);
  EXPECT_LE(detail::nodes_needed(std::log(300.0), 1e-4, 1.0), 42);
}

template <class T>
class MixLevels : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(MixLevels, Types);

TYPED_TEST(MixLevels, IsTheSumOfItsBlurs) {
  using T = TypeParam;
  const Sigmas sigmas{0.7, 1.1, 2.6};
  for (const Shape& shape : {Shape{2, 3, 13, 17}, Shape{2, 3, 40}}) {
    for (Index batch : {1, 2}) {
      Shape field = shape;
      field[0] = batch;
      field[1] = 1;
      const auto x = test::random_image<T>(shape, 1);
      const auto sigma = test::random_field<T>(field, 0.7, 2.6, 2);
      const BlurOptions options = test::with(Mode::constant, 0.3);
      Image<double> sum(shape);
      for (std::size_t k = 0; k < sigmas.size(); ++k) {
        const auto level =
            uniform_blur<double>(test::converted<double>(x), {&sigmas[k], 1}, options);
        for (Index i = 0; i < sum.elements(); ++i) {
          const Index pixels = sum.elements() / (shape[0] * shape[1]);
          const Index n = batch == 1 ? 0 : i / (pixels * shape[1]);
          const double s = static_cast<double>(sigma.data()[n * pixels + i % pixels]);
          sum.data()[i] += lagrange(sigmas, k, s) * level.data()[i];
        }
      }
      Image<T> out(shape);
      mix_levels<T>(x, sigmas, sigma, out, options);
      EXPECT_LT(test::distance(out, sum), sizeof(T) == 8 ? 1e-13 : 3e-6);
    }
  }
}

// At a node it is that uniform blur; elsewhere the levels' bound away from the true one.
TYPED_TEST(MixLevels, KeepsItsTolerance) {
  using T = TypeParam;
  const Shape shape{1, 1, 40, 44};
  Image<T> x(shape);  // within -1..1
  Random random(3);
  for (Index i = 0; i < x.elements(); ++i) x.data()[i] = random.uniform() < 0.5 ? T{-1} : T{1};
  for (double tolerance : {1e-2, 1e-4}) {
    const Sigmas sigmas = mix_level_sigmas(0.5, 5.0, tolerance);
    BlurOptions options;
    options.truncate = 8.0;
    for (double s : {0.5, 0.9, 2.0, 5.0, sigmas[2]}) {
      const auto field = test::constant_image<T>({1, 1, 40, 44}, s);
      Image<T> out(shape);
      mix_levels<T>(x, sigmas, field, out, options);
      const double gap = test::distance(out, uniform_blur<T>(x, {&s, 1}, options));
      EXPECT_LE(gap, tolerance) << s;
      EXPECT_TRUE(s != sigmas[2] || gap < 1e-5) << gap;
      BlurOptions loose;
      loose.tolerance = tolerance;
      mix_levels<T>(x, sigmas, field, out, loose);
      EXPECT_LE(test::distance(out, uniform_blur<T>(x, {&s, 1}, options)), 4 * tolerance) << s;
    }
  }
}

// Both with exact blurs and with those to a tolerance.
TEST(MixLevelsDerivatives, MatchDifferencesInAllInputs) {
  const Sigmas sigmas = mix_level_sigmas(0.6, 6.0, 4);
  for (const Shape& shape : {Shape{2, 3, 21, 24}, Shape{2, 2, 50}}) {
    for (Index batch : {1, 2}) {
      for (double tolerance : {0.0, 1e-2}) {
        Shape field = shape;
        field[0] = batch;
        field[1] = 1;
        const auto x = test::random_image<double>(shape, 1);
        const auto x_dot = test::random_image<double>(shape, 2);
        const auto cotangent = test::random_image<double>(shape, 3);
        const auto sigma = test::random_field<double>(field, 0.7, 5.9, 4);
        const auto sigma_dot = test::random_field<double>(field, -0.5, 0.5, 5);
        BlurOptions options = test::with(Mode::constant, 0.4);
        options.tolerance = tolerance;
        Image<double> grad_x(shape);
        Image<double> grad_sigma(field);
        mix_levels_vjp<double>(x, sigmas, sigma, cotangent, grad_x, grad_sigma, options);
        const double slope = test::inner(grad_x, x_dot) + test::inner(grad_sigma, sigma_dot);
        test::expect_slope(
            [&](double t) {
              Image<double> out(shape);
              mix_levels<double>(test::moved(x, t, x_dot), sigmas, test::moved(sigma, t, sigma_dot),
                                 out, options);
              return test::inner(out, cotangent);
            },
            slope);
        Image<double> out_dot(shape);
        mix_levels_jvp<double>(x, sigmas, sigma, x_dot, sigma_dot, out_dot, options);
        EXPECT_NEAR(test::inner(out_dot, cotangent), slope, 1e-11 * (1 + std::abs(slope)));
      }
    }
  }
}

TEST(MixLevelsDerivatives, AdjointIsExact) {
  const Shape shape{2, 2, 19, 12};
  const Sigmas sigmas{0.8, 2.0, 5.0};
  const auto sigma = test::random_field<double>({1, 1, 19, 12}, 0.8, 5.0, 4);
  for (Mode mode : test::kModes) {
    const BlurOptions options = test::with(mode);
    test::expect_adjoint<double>(
        shape, shape,
        [&](const auto& x) {
          Image<double> out(shape);
          mix_levels<double>(x, sigmas, sigma, out, options);
          return out;
        },
        [&](const auto& y) {
          Image<double> grad(shape);
          mix_levels_vjp<double>(y, sigmas, sigma, y, grad, {}, options);
          return grad;
        });
  }
}

TEST(MixLevelsThreads, DoNotChangeABit) {
  const auto x = test::random_image<float>({2, 2, 60, 50}, 1);
  const auto sigma = test::random_field<float>({1, 1, 60, 50}, 1.0, 4.0, 2);
  const Sigmas sigmas = mix_level_sigmas(1.0, 4.0, 4);
  std::array<Image<float>, 2> grad_x{Image<float>(x.shape()), Image<float>(x.shape())};
  std::array<Image<float>, 2> grad{Image<float>(sigma.shape()), Image<float>(sigma.shape())};
  for (int threads : {1, 2}) {
    BlurOptions options;
    options.execution.threads = threads;
    const auto i = static_cast<std::size_t>(threads - 1);
    mix_levels_vjp<float>(x, sigmas, sigma, x, grad_x[i], grad[i], options);
  }
  EXPECT_TRUE(test::same_bits(grad_x[0], grad_x[1]));
  EXPECT_TRUE(test::same_bits(grad[0], grad[1]));
}

TEST(MixLevelsErrors, NameWhatIsWrong) {
  const auto x = test::random_image<float>({2, 2, 8, 9}, 1);
  const auto field = test::constant_image<float>({1, 1, 8, 9}, 1.5);
  Image<float> out(x.shape());
  const auto expect_refused = [&](const Image<float>& image, const Sigmas& sigmas,
                                  const Image<float>& sigma) {
    EXPECT_THROW(mix_levels<float>(image, sigmas, sigma, out), Error);
  };
  EXPECT_NO_THROW(mix_levels<float>(x, Sigmas{1, 2}, field, out));
  expect_refused(x, {1}, field);
  expect_refused(x, {2, 1}, field);
  expect_refused(x, {1, 1}, field);
  expect_refused(x, {0, 1}, field);
  expect_refused(x, {1, INFINITY}, field);
  expect_refused(x, {1, 2}, test::constant_image<float>({1, 1, 8, 9}, 0.0));
  expect_refused(x, {1, 2}, test::constant_image<float>({1, 1, 8, 9}, NAN));
  expect_refused(x, {1, 2}, test::constant_image<float>({1, 1, 8, 8}, 1.0));
  expect_refused(x, {1, 2}, test::constant_image<float>({1, 2, 8, 9}, 1.0));
  expect_refused(test::constant_image<float>({2, 2, 8, 9}, NAN), {1, 2}, field);
  EXPECT_THROW(mix_level_sigmas(2.0, 1.0, 3), Error);
  EXPECT_THROW(mix_level_sigmas(1.0, 1.0, 3), Error);
  EXPECT_THROW(mix_level_sigmas(0.0, 1.0, 3), Error);
  EXPECT_THROW(mix_level_sigmas(1.0, 2.0, 1), Error);
  EXPECT_THROW(mix_level_sigmas(1.0, 2.0, 0.0), Error);
  EXPECT_THROW(mix_level_error(1.0, NAN, 3), Error);
}

}  // namespace
}  // namespace blurfield
