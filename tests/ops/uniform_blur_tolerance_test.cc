// SPDX-License-Identifier: BSD-3-Clause
// Uniform blurs to a tolerance, against the untruncated sampled Gaussian.
#include <gtest/gtest.h>

#include <numeric>

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/gaussian_kernel.h"
#include "blurfield/ops/uniform_blur.h"
#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

using test::kModes;
using test::with;
using Parameters = std::vector<double>;

// Extra error that T's rounding may add to a row of weights.
template <class T>
constexpr double kRounding = sizeof(T) == 8 ? 1e-13 : 2e-6;

// From a level, whether that pays or not.
BlurMethod by_level(const Parameters& p) {
  return p.size() == 3 ? BlurMethod::residual : BlurMethod::stack;
}

BlurOptions to_tolerance(double tolerance, Mode mode = Mode::reflect,
                         BlurMethod method = BlurMethod::stack) {
  BlurOptions options = with(mode);
  options.tolerance = tolerance;
  options.method = method;
  return options;
}

// The weights with which pixel p of n sees them all, by the untruncated Gaussian.
std::vector<double> true_row(Index n, Index p, double sigma, Mode mode) {
  std::vector<double> row(static_cast<std::size_t>(n), 0.0);
  if (sigma == 0) {
    row[static_cast<std::size_t>(p)] = 1.0;
    return row;
  }
  const auto reach = static_cast<int>(std::ceil(9 * sigma) + 1);
  const auto weights = gaussian_kernel1d(sigma, reach);
  for (int k = -reach; k <= reach; ++k) {
    const Index q = extend(p + k, n, mode);
    if (q >= 0) row[static_cast<std::size_t>(q)] += weights[static_cast<std::size_t>(k + reach)];
  }
  return row;
}

// What the blur makes of pixels elsewhere at pixel (y, x): a row of its matrix.
template <class T>
Image<T> row_of(const Shape& shape, const Parameters& p, Index y, Index x,
                const BlurOptions& options) {
  Image<T> impulse(shape);
  impulse.view().at(0, 0, y, x) = T{1};
  Image<T> row(shape);
  uniform_blur_vjp<T>(impulse, p, impulse, row, {}, options);
  return row;
}

template <class T>
double row_error(const Shape& shape, const Parameters& p, Index y, Index x,
                 const BlurOptions& options) {
  const Image<T> row = row_of<T>(shape, p, y, x, options);
  const Mode mode = options.extension.mode;
  const bool signal = shape.rank() == 3;
  const Index height = signal ? 1 : shape[2];
  const Index width = shape[shape.rank() - 1];
  const auto by_y = true_row(height, y, signal ? 0.0 : p.front(), mode);
  const auto by_x = true_row(width, x, p.back(), mode);
  double error = 0.0;
  for (Index i = 0; i < row.elements(); ++i) {
    error += std::abs(static_cast<double>(row.data()[i]) -
                      by_y[static_cast<std::size_t>(i / width)] *
                          by_x[static_cast<std::size_t>(i % width)]);
  }
  return error;
}

template <class T>
class UniformTolerance : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(UniformTolerance, Types);

// Interior, border and corner pixels.
template <class T>
void expect_within(const Shape& shape, const Parameters& p, const BlurOptions& options) {
  const BlurReport report = uniform_blur_plan<T>(shape, p, options);
  EXPECT_LE(report.error_bound, options.tolerance);
  const Index height = shape.rank() == 3 ? 1 : shape[2];
  const Index width = shape[shape.rank() - 1];
  double worst = 0.0;
  for (const auto& [y, x] : {std::pair{height / 2, width / 2 + 1}, std::pair{Index{0}, width / 3},
                             std::pair{height - 1, width - 1}, std::pair{height / 3, Index{1}}}) {
    worst = std::max(worst, row_error<T>(shape, p, y, x, options));
  }
  EXPECT_LE(worst, report.error_bound + kRounding<T>)
      << shape.text() << " sigma " << p.front() << ' ' << p.back() << " tolerance "
      << options.tolerance << ' ' << mode_name(options.extension.mode);
}

TYPED_TEST(UniformTolerance, IsNeverExceeded) {
  for (double tolerance : {1e-2, 1e-3, 1e-4, 1e-5}) {
    for (double sigma :
         {0.3, 0.7, 1.0, 1.6, 2.4, 2.7, 3.1, 3.6, 4.0, 5.3, 7.9, 8.1, 13.0, 21.0, 32.0, 64.0}) {
      for (Mode mode : kModes) {
        expect_within<TypeParam>({1, 1, 61, 97}, {sigma}, to_tolerance(tolerance, mode));
      }
      expect_within<TypeParam>({1, 1, 130, 140}, {sigma},
                               to_tolerance(tolerance, Mode::nearest, BlurMethod::automatic));
    }
  }
}

TYPED_TEST(UniformTolerance, HoldsForSignalsAndAnyTwoSigmas) {
  for (double tolerance : {1e-2, 1e-3, 1e-5}) {
    for (Mode mode : kModes) {
      for (const Parameters& p : {Parameters{0.0, 5.0}, Parameters{11.0, 0.0}, Parameters{1.2, 9.0},
                                  Parameters{30.0, 0.6}, Parameters{7.0, 23.0}}) {
        expect_within<TypeParam>({1, 1, 50, 71}, p, to_tolerance(tolerance, mode));
      }
      for (double sigma : {0.8, 3.0, 6.5, 40.0}) {
        expect_within<TypeParam>({1, 1, 103}, {sigma}, to_tolerance(tolerance, mode));
      }
    }
  }
}

// Sum of |w' - w| at pixel (y, x) for a full covariance, w folded by the extension.
template <class T>
double covariance_error(const Shape& shape, const Parameters& p, Index y, Index x,
                        const BlurOptions& options) {
  const Image<T> row = row_of<T>(shape, p, y, x, options);
  const Logchol logchol{p[0], p[1], p[2]};
  const auto radius = gaussian_radius(logchol, 8.0);
  const Kernel2d kernel = gaussian_kernel2d_logchol(logchol, radius);
  Image<double> gap = test::converted<double>(row);
  for (int dy = -radius[0]; dy <= radius[0]; ++dy) {
    const Index i = extend(y + dy, shape[2], options.extension.mode);
    for (int dx = -radius[1]; dx <= radius[1] && i >= 0; ++dx) {
      const Index j = extend(x + dx, shape[3], options.extension.mode);
      if (j >= 0) gap.view().at(0, 0, i, j) -= kernel.at(dy, dx);
    }
  }
  return std::accumulate(gap.data(), gap.data() + gap.elements(), 0.0,
                         [](double sum, double v) { return sum + std::abs(v); });
}

// (a, b, c) of axes of these widths, turned by `angle`.
Parameters ellipse(double minor, double ratio, double angle) {
  const double v = minor * minor;
  const double w = v * ratio * ratio;
  const double s = std::sin(angle);
  const double c = std::cos(angle);
  const Logchol p =
      cov_to_logchol(Cov{v * c * c + w * s * s, (w - v) * s * c, v * s * s + w * c * c});
  return {p[0], p[1], p[2]};
}

TYPED_TEST(UniformTolerance, HoldsForCovariances) {
  using T = TypeParam;
  const Shape shape{1, 1, 71, 64};
  for (double tolerance : {1e-2, 1e-3, 1e-4, 1e-5}) {
    for (double minor : {0.6, 2.9, 3.4, 4.9, 6.2, 9.7}) {
      for (double ratio : {1.0, 1.7, 4.0}) {
        const Parameters p = ellipse(minor, ratio, 0.3 + minor);
        const Mode mode = kModes[static_cast<std::size_t>(10 * minor + ratio) % kModes.size()];
        const BlurOptions options = to_tolerance(tolerance, mode, BlurMethod::residual);
        const BlurReport report = uniform_blur_plan<T>(shape, p, options);
        EXPECT_LE(report.error_bound, tolerance);
        for (const auto& [y, x] :
             {std::pair<Index, Index>{35, 31}, std::pair<Index, Index>{0, 2}}) {
          const double error = covariance_error<T>(shape, p, y, x, options);
          EXPECT_LE(error, report.error_bound + 2 * kRounding<T>)
              << "minor " << minor << " ratio " << ratio << " tolerance " << tolerance << ' '
              << mode_name(mode);
        }
      }
    }
  }
}

struct Case {
  Shape shape;
  Parameters p;
  Parameters p_dot;
};
const Case kCases[] = {
    {{2, 3, 31, 40}, {4.3}, {0.7}},
    {{1, 2, 40, 33}, {9.0, 2.9}, {0.3, -0.4}},
    {{1, 1, 30, 35}, {0.0, 6.0}, {0.0, 1.0}},
    {{1, 1, 42, 20}, {1.1, 7.0}, {0.4, -0.2}},
    {{2, 1, 44, 21}, {8.0, 0.9}, {0.4, -0.2}},
    {{2, 3, 90}, {5.0}, {-0.6}},
    {{1, 1, 2, 3}, {25.0}, {1.0}},
    {{1, 2, 33, 36}, ellipse(4.6, 2.0, 0.5), {0.1, 0.2, -0.3}},
};

TEST(UniformToleranceDerivatives, AdjointIsExact) {
  for (const Case& c : kCases) {
    for (Mode mode : kModes) {
      const BlurOptions options = to_tolerance(1e-3, mode, by_level(c.p));
      test::expect_adjoint<double>(
          c.shape, c.shape, [&](const auto& x) { return uniform_blur<double>(x, c.p, options); },
          [&](const auto& y) {
            Image<double> grad(y.shape());
            uniform_blur_vjp<double>(y, c.p, y, grad, {}, options);
            return grad;
          });
    }
  }
}

TEST(UniformToleranceDerivatives, MatchDifferencesInAllInputs) {
  for (const Case& c : kCases) {
    const auto x = test::random_image<double>(c.shape, 1);
    const auto x_dot = test::random_image<double>(c.shape, 2);
    const auto cotangent = test::random_image<double>(c.shape, 3);
    for (Mode mode : {Mode::reflect, Mode::constant, Mode::wrap}) {
      BlurOptions options = to_tolerance(1e-3, mode, by_level(c.p));
      options.extension.cval = 0.5;
      Image<double> grad_x(c.shape);
      Parameters grad(c.p.size());
      uniform_blur_vjp<double>(x, c.p, cotangent, grad_x, grad, options);
      const double slope =
          std::inner_product(grad.begin(), grad.end(), c.p_dot.begin(), test::inner(grad_x, x_dot));
      const auto value = [&](double t) {
        Parameters p = c.p;
        for (std::size_t i = 0; i < p.size(); ++i) p[i] += t * c.p_dot[i];
        return test::inner(uniform_blur<double>(test::moved(x, t, x_dot), p, options), cotangent);
      };
      EXPECT_EQ(uniform_blur_plan<double>(c.shape, c.p, options).exact, 0.0);
      test::expect_slope(value, slope, 1e-4);
      Image<double> out_dot(c.shape);
      uniform_blur_jvp<double>(x, c.p, x_dot, c.p_dot, out_dot, options);
      EXPECT_NEAR(test::inner(out_dot, cotangent), slope, 1e-11 * (1 + std::abs(slope)))
          << c.shape.text() << mode_name(mode);
    }
  }
}

// Those of the true Gaussian, as the tolerance allows.
TEST(UniformToleranceDerivatives, AreCloseToTheTrueOnes) {
  const Shape shape{1, 1, 60, 64};
  const auto x = test::random_image<double>(shape, 1);
  const auto cotangent = test::random_image<double>(shape, 2);
  BlurOptions exact;
  exact.truncate = 9.0;
  for (const Parameters& p : {Parameters{6.0}, Parameters{5.0, 11.0}, ellipse(5.0, 2.0, 0.4)}) {
    Parameters truth(p.size());
    uniform_blur_vjp<double>(x, p, cotangent, {}, truth, exact);
    for (double tolerance : {1e-3, 1e-5}) {
      Parameters grad(p.size());
      uniform_blur_vjp<double>(x, p, cotangent, {}, grad,
                               to_tolerance(tolerance, Mode::reflect, by_level(p)));
      for (std::size_t i = 0; i < p.size(); ++i) {
        // 60 = |cotangent|, about, and no entry of the derivative's rows sums to more than 2 /
        // sigma.
        EXPECT_NEAR(grad[i], truth[i], 60 * tolerance) << p.size() << ' ' << i;
      }
    }
  }
}

TYPED_TEST(UniformTolerance, KeepsConstantsAndTheValueBeyond) {
  using T = TypeParam;
  for (const Parameters& p : {Parameters{6.0}, Parameters{0.0, 8.0}, ellipse(4.6, 2.0, 0.5)}) {
    for (Mode mode : kModes) {
      BlurOptions options = to_tolerance(1e-2, mode, by_level(p));
      options.extension.cval = 2.5;
      const auto x = test::constant_image<T>({1, 2, 40, 33}, 2.5);
      EXPECT_LT(test::distance(uniform_blur<T>(x, p, options), x), p.size() == 3 ? 1e-3 : 1e-5);
    }
  }
}

TYPED_TEST(UniformTolerance, StridedViewsAndThreadsDoNotChangeABit) {
  using T = TypeParam;
  const auto whole = test::random_image<T>({2, 3, 150, 700}, 5);
  View<const T> part = whole.view();
  part.data += 17;
  part.shape[2] = 75;
  part.shape[3] = 300;
  part.stride[2] *= 2;
  part.stride[3] = 2;
  for (const Parameters& p : {Parameters{4.0}, Parameters{0.0, 8.0}, ellipse(4.6, 2.0, 0.5)}) {
    for (Mode mode : {Mode::reflect, Mode::wrap}) {
      BlurOptions options = to_tolerance(1e-3, mode, by_level(p));
      options.execution.threads = 1;
      const Image<T> one = uniform_blur<T>(Image<T>(part), p, options);
      options.execution.threads = 2;
      Image<T> wide({2, 3, 75, 600});
      View<T> out = wide;
      out.shape[3] = 300;
      out.stride[3] = 2;
      uniform_blur<T>(part, p, out, options);
      EXPECT_TRUE(test::same_bits(one, Image<T>(View<const T>(out))));
    }
  }
}

TYPED_TEST(UniformTolerance, FindsPixelsThatAreNotFinite) {
  using T = TypeParam;
  for (const Parameters& p : {Parameters{5.0}, Parameters{0.0, 8.0}, Parameters{7.0, 0.0},
                              Parameters{1.0, 9.0}, ellipse(4.6, 2.0, 0.5)}) {
    for (const auto& [y, x] : {std::pair<Index, Index>{0, 0}, std::pair<Index, Index>{40, 77}}) {
      auto image = test::random_image<T>({1, 2, 41, 78}, 1);
      image.view().at(0, 1, y, x) = static_cast<T>(NAN);
      Image<T> out(image.shape());
      EXPECT_THROW(uniform_blur<T>(image, p, out, to_tolerance(1e-3, Mode::reflect, by_level(p))),
                   Error);
    }
  }
}

TEST(UniformToleranceReport, SaysWhatIsDone) {
  const Shape shape{1, 1, 512, 512};
  const auto plan = [&](const Parameters& p, const BlurOptions& options) {
    return uniform_blur_plan<float>(shape, p, options);
  };
  const BlurReport level = plan({40.0}, to_tolerance(1e-3, Mode::reflect, BlurMethod::automatic));
  EXPECT_EQ(level.stack, 1.0);
  EXPECT_EQ(level.exact, 0.0);
  EXPECT_EQ(level.nodes, 1.0);
  ASSERT_EQ(level.steps.size(), 1U);
  EXPECT_GE(level.steps[0], 16.0);
  EXPECT_LT(level.seconds, 0.5 * level.exact_seconds);
  EXPECT_GT(level.bytes, 0U);
  EXPECT_LE(level.bytes, 2 * 512 * 512 * sizeof(float) + 2 * (std::size_t{2} << 20));
  EXPECT_FALSE(level.truncated);
  EXPECT_EQ(plan({8.0, 40.0}, to_tolerance(1e-3)).steps.size(), 2U);
  EXPECT_EQ(
      plan(ellipse(9, 2, 0.3), to_tolerance(1e-3, Mode::reflect, BlurMethod::residual)).residual,
      1.0);
  EXPECT_THROW(plan(ellipse(9, 2, 0.3), to_tolerance(1e-3)), Error);
  EXPECT_THROW(plan({9.0}, to_tolerance(1e-3, Mode::reflect, BlurMethod::residual)), Error);

  const auto expect_exact = [&](const Parameters& p, const BlurOptions& options) {
    const BlurReport report = plan(p, options);
    EXPECT_EQ(report.exact, 1.0);
    EXPECT_TRUE(report.steps.empty());
    EXPECT_EQ(report.bytes, 0U);
    return report;
  };
  EXPECT_LE(
      expect_exact({0.8}, to_tolerance(1e-3, Mode::reflect, BlurMethod::automatic)).error_bound,
      1e-3);
  EXPECT_LE(expect_exact({40.0}, to_tolerance(1e-3, Mode::reflect, BlurMethod::exact)).error_bound,
            1e-3);
  expect_exact({40.0}, to_tolerance(1e-6));  // float: as good as exact
  EXPECT_NEAR(expect_exact({40.0}, {}).error_bound, 2.5e-4, 0.1e-4);
  BlurOptions truncated = to_tolerance(1e-3);
  truncated.truncate = 2.0;
  EXPECT_TRUE(expect_exact({40.0}, truncated).truncated);
  truncated.truncate = 5.0;
  EXPECT_EQ(plan({40.0}, truncated).stack, 1.0);
  truncated.truncate.reset();
  truncated.radius = {80};
  EXPECT_TRUE(expect_exact({40.0}, truncated).truncated);
}

TEST(UniformToleranceProgress, TellsAndCancels) {
  const auto x = test::random_image<float>({1, 1, 200, 200}, 1);
  Image<float> out(x.shape());
  BlurOptions options = to_tolerance(1e-3);
  double last = 0.0;
  options.execution.progress = [&](double done) {
    EXPECT_GE(done, last);
    last = done;
    return true;
  };
  uniform_blur<float>(x, Parameters{20.0}, out, options);
  EXPECT_EQ(last, 1.0);
  options.execution.progress = [](double) { return false; };
  EXPECT_THROW(uniform_blur<float>(x, Parameters{20.0}, out, options), Cancelled);
}

}  // namespace
}  // namespace blurfield
