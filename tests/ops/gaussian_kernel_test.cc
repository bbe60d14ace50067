// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/gaussian_kernel.h"

#include <numeric>

#include "blurfield/ops/covariance.h"
#include "tests/support/derivatives.h"
#include "tests/support/npz.h"

namespace blurfield {
namespace {

double sum(const std::vector<double>& v) { return std::accumulate(v.begin(), v.end(), 0.0); }

double gap(const std::vector<double>& got, const double* expected) {
  double worst = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - expected[i]));
  }
  return worst;
}

TEST(GaussianRadius, FollowsTheRule) {
  EXPECT_EQ(gaussian_radius(0.0, 4.0), 0);
  EXPECT_EQ(gaussian_radius(0.01, 4.0), 1);
  EXPECT_EQ(gaussian_radius(1.0, 4.0), 4);
  EXPECT_EQ(gaussian_radius(1.125, 4.0), 5);
  EXPECT_EQ(gaussian_radius(1e30, 4.0), 1 << 30);
  EXPECT_EQ(gaussian_radius(Logchol{std::log(2.0), 3.0, std::log(4.0)}, 4.0),
            (std::array<int, 2>{8, 20}));
}

TEST(GaussianKernel, MatchesTheReferenceIn1d) {
  const test::Npz data("oned.npz");
  for (int i = 0; i < 6; ++i) {
    const std::string name = message("filter_", i, "/");
    const auto& expected = data[name + "f"].values;
    const double sigma = data[name + "sigma"].number();
    const int radius = static_cast<int>(expected.size() / 2);
    EXPECT_LT(gap(gaussian_kernel1d(sigma, radius), expected.data()), 1e-12);
    EXPECT_LT(gap(gaussian_kernel1d_dsigma(sigma, radius), data[name + "df_dsigma"].values.data()),
              1e-12);
  }
}

TEST(GaussianKernel, MatchesTheReferenceOfManySigmas) {
  const test::Npz data("kernels.npz");
  for (const char* width : {"sd2", "sd3", "sd6"}) {
    const std::string name = std::string("gauss1d_vec_") + width;
    const auto& sigma = data[name + "/sigma"].values;
    const auto& out = data[name + "/out"];
    for (std::size_t i = 0; i < sigma.size(); ++i) {
      const auto taps = static_cast<std::size_t>(out.shape[1]);
      const auto kernel = gaussian_kernel1d(sigma[i], static_cast<int>(taps / 2));
      EXPECT_LT(gap(kernel, &out.values[i * taps]), 1e-12);
    }
  }
}

TEST(GaussianKernel, MatchesTheReferenceIn2d) {
  const test::Npz data("kernels.npz");
  for (const char* width : {"sd2", "sd3", "sd6"}) {
    const std::string name = std::string("gauss2d_sphere_") + width;
    const auto& out = data[name + "/out"];
    const std::array<int, 2> radius{static_cast<int>(out.shape[1] / 2),
                                    static_cast<int>(out.shape[2] / 2)};
    for (std::size_t i = 0; i < 2; ++i) {
      const double sigma = data[name + "/sigma"].values[i];
      const Kernel2d kernel = gaussian_kernel2d({sigma, sigma}, radius);
      EXPECT_LT(gap(kernel.taps, &out.values[i * kernel.taps.size()]), 1e-12);
    }
  }
}

TEST(GaussianKernel, FullCovarianceMatchesTheReferenceAndItsGradient) {
  const test::Npz data("kernels.npz");
  for (const char* width : {"sd2", "sd3", "sd6"}) {
    const std::string name = std::string("gauss2d_full_batch_") + width;
    const auto& out = data[name + "/out"];
    const auto& target = data[name + "/target"].values;
    const std::array<int, 2> radius{static_cast<int>(out.shape[1] / 2),
                                    static_cast<int>(out.shape[2] / 2)};
    for (std::size_t i = 0; i < 9; ++i) {
      const double* p = &data[name + "/cov"].values[3 * i];
      const double* expected = &data[name + "/grad_cov"].values[3 * i];
      const Logchol logchol{p[0], -p[1], p[2]};  // y points up there
      const Kernel2d kernel = gaussian_kernel2d_logchol(logchol, radius);
      const auto slopes = gaussian_kernel2d_dlogchol(logchol, radius);
      const std::size_t first = i * kernel.taps.size();
      EXPECT_LT(gap(kernel.taps, &out.values[first]), 1e-12);
      for (std::size_t k = 0; k < 3; ++k) {
        double gradient = 0.0;
        for (std::size_t j = 0; j < kernel.taps.size(); ++j) {
          gradient += slopes[k].taps[j] * (kernel.taps[j] - target[first + j]);
        }
        EXPECT_NEAR(k == 1 ? -gradient : gradient, expected[k],
                    1e-12 * (1 + std::abs(expected[k])));
      }
    }
  }
}

TEST(GaussianKernel, OrdersAreDerivatives) {
  const double s = 1.7;
  const auto w = gaussian_kernel1d(s, 9);
  const std::array<std::vector<double>, 4> orders{
      w, gaussian_kernel1d(s, 9, 1), gaussian_kernel1d(s, 9, 2), gaussian_kernel1d(s, 9, 3)};
  for (int k = -9; k <= 9; ++k) {
    const auto i = static_cast<std::size_t>(k + 9);
    const double s2 = s * s;
    EXPECT_NEAR(orders[1][i], -k / s2 * w[i], 1e-15);
    EXPECT_NEAR(orders[2][i], (k * k / s2 - 1) / s2 * w[i], 1e-15);
    EXPECT_NEAR(orders[3][i], (3 * k - k * k * k / s2) / (s2 * s2) * w[i], 1e-15);
  }
}

TEST(GaussianKernel, SlopesBySigmaMatchDifferences) {
  for (int order = 0; order < 5; ++order) {
    const auto slope = gaussian_kernel1d_dsigma(1.3, 6, order);
    for (std::size_t i = 0; i < slope.size(); ++i) {
      test::expect_slope([&](double t) { return gaussian_kernel1d(1.3 + t, 6, order)[i]; },
                         slope[i]);
    }
  }
}

TEST(GaussianKernel, UnderflowGivesNoNan) {
  for (double sigma : {1e-300, 1e-5, 1e5, 1e300}) {
    for (int order = 0; order < 2; ++order) {
      for (double v : gaussian_kernel1d_dsigma(sigma, 3, 0)) EXPECT_TRUE(std::isfinite(v)) << sigma;
      for (double v : gaussian_kernel1d(sigma, 3, 0)) EXPECT_TRUE(std::isfinite(v)) << sigma;
    }
    EXPECT_NEAR(sum(gaussian_kernel1d(sigma, 3)), 1.0, 1e-15);
  }
  for (double a : {-800.0, -20.0, 0.0, 20.0, 800.0}) {
    for (double b : {-1e5, 0.0, 1.0, 1e5}) {
      for (double c : {-800.0, 0.0, 800.0}) {
        EXPECT_NEAR(sum(gaussian_kernel2d_logchol(Logchol{a, b, c}, {2, 3}).taps), 1.0, 1e-14);
        for (const auto& slope : gaussian_kernel2d_dlogchol({a, b, c}, {2, 3})) {
          for (double v : slope.taps) EXPECT_TRUE(std::isfinite(v)) << a << ' ' << b << ' ' << c;
        }
      }
    }
  }
}

TEST(GaussianKernel, OrientationFollowsB) {
  // b > 0: y and x grow together, with y downwards.
  const Kernel2d kernel = gaussian_kernel2d_logchol(Logchol{0.5, 1.0, 0.0}, {4, 4});
  EXPECT_GT(kernel.at(2, 2), kernel.at(2, -2));
  EXPECT_NEAR(kernel.at(2, 1), kernel.at(-2, -1), 1e-16);
}

TEST(GaussianKernel, DifferenceSumsToZero) {
  EXPECT_NEAR(sum(difference_of_gaussians1d(1.0, 2.0, 8)), 0.0, 1e-15);
  const Kernel2d kernel = difference_of_gaussians2d(1.0, 2.0, 8);
  EXPECT_NEAR(sum(kernel.taps), 0.0, 1e-15);
  EXPECT_GT(kernel.at(0, 0), 0.0);
  EXPECT_LT(kernel.at(3, 0), 0.0);
}

TEST(GaussianKernel, RefusesBadArguments) {
  EXPECT_THROW(gaussian_kernel1d(0.0, 3), Error);
  EXPECT_THROW(gaussian_kernel1d(NAN, 3), Error);
  EXPECT_THROW(gaussian_kernel1d(1.0, -1), Error);
  EXPECT_THROW(gaussian_kernel1d(1.0, 1, -1), Error);
  EXPECT_THROW(gaussian_kernel2d_logchol(Logchol{0, 0, 0}, {-1, 0}), Error);
}

}  // namespace
}  // namespace blurfield
