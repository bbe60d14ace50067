// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/residual.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "blurfield/kernels/residual_shapes.h"
#include "blurfield/ops/covariance.h"
#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield::kernels {
namespace {

constexpr Index kTop = -7;
constexpr Index kLeft = 11;
constexpr Index kHeight = 260;
constexpr Index kWidth = 300;

// Kernels somewhere in the block: wide ones, narrow ones, steep ones, single rows, many rows.
std::vector<ResidualPixel> random_pixels() {
  Random random(5);
  std::vector<ResidualPixel> pixels;
  for (int i = 0; i < 60; ++i) {
    ResidualPixel p;
    const double sx = std::exp(random.uniform(std::log(0.1), std::log(12.0)));
    const double sy = std::exp(random.uniform(std::log(0.1), std::log(30.0)));
    p.inv_y = 1.0 / sy;
    p.inv_x = 1.0 / sx;
    p.slope = random.uniform(-1.0, 1.0) * 80.0 / (4.0 * sy + 1.0);
    if (i % 10 == 0) p.slope = std::round(p.slope);
    p.y = kTop + 130.0 + random.uniform(-1.0, 1.0);
    p.x = kLeft + 140.0 + random.uniform(-1.0, 1.0);
    p.first = static_cast<Index>(std::ceil(p.y - 4.0 * sy - 0.5));
    p.rows = static_cast<Index>(std::floor(p.y + 4.0 * sy + 0.5)) - p.first + 1;
    p.taps = static_cast<Index>(std::ceil(8.0 * sx + 1.0));
    if (sx < 1.0) p.taps |= 1;
    pixels.push_back(p);
  }
  return pixels;
}

// Calls f(element of a plane, g, z1, z2) for the taps of a kernel, by its definition.
template <class F>
void for_taps(const ResidualPixel& p, Index stride, const F& f) {
  for (Index row = p.first; row < p.first + p.rows; ++row) {
    const double dy = static_cast<double>(row) - p.y;
    const double begin = p.x + p.slope * dy - 0.5 * static_cast<double>(p.taps - 1);
    const auto first = static_cast<Index>(std::floor(begin + 0.5));
    for (Index column = first; column < first + p.taps; ++column) {
      const double z1 = p.inv_y * dy;
      const double z2 = p.inv_x * (static_cast<double>(column) - p.x - p.slope * dy);
      f((row - kTop) * stride + column - kLeft, std::exp(-0.5 * (z1 * z1 + z2 * z2)), z1, z2);
    }
  }
}

template <class T>
class ResidualKernels : public ::testing::Test {
 protected:
  ResidualKernels()
      : pixels(random_pixels()),
        planes(test::random_image<T>({1, 3, kHeight, kWidth}, 1)),
        coef(test::random_image<T>({1, 3, 1, static_cast<Index>(pixels.size())}, 2)) {
    Index taps = 0;
    for (const ResidualPixel& p : pixels) taps = std::max(taps, p.taps);
    scratch.resize(static_cast<std::size_t>(residual_scratch(taps)));
  }
  Index count() const { return static_cast<Index>(pixels.size()); }
  template <class P>
  ResidualBlock<P> block(P* data, int number) const {
    ResidualBlock<P> result{{}, number, kWidth, kTop, kLeft};
    for (int c = 0; c < number; ++c) result.plane[c] = data + c * kHeight * kWidth;
    return result;
  }
  // Coefficients of plane c.
  const T* of_plane(int c) const { return coef.data() + c * count(); }

  static constexpr double kRounding = sizeof(T) == 4 ? 2e-6 : 2e-13;
  std::vector<ResidualPixel> pixels;
  Image<T> planes;
  Image<T> coef;
  std::vector<T> scratch;
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ResidualKernels, Types);

TYPED_TEST(ResidualKernels, ValuesEqualTheirDefinition) {
  using T = TypeParam;
  for (const int number : {0, 1, 3}) {
    std::vector<double> norm(this->pixels.size());
    std::vector<double> value(3 * this->pixels.size());
    test::for_each_target([&] {
      residual_values<T>(this->pixels.data(), this->count(),
                         this->block(std::as_const(this->planes).data(), number),
                         this->scratch.data(), norm.data(), value.data());
      for (Index i = 0; i < this->count(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        double mass = 0.0;
        double sum[3] = {};
        for_taps(this->pixels[at], kWidth, [&](Index element, double g, double, double) {
          mass += g;
          for (int c = 0; c < number; ++c) {
            sum[c] += g * static_cast<double>(this->planes.data()[c * kHeight * kWidth + element]);
          }
        });
        EXPECT_NEAR(norm[at] / mass, 1.0, this->kRounding) << i;
        for (int c = 0; c < number; ++c) {
          EXPECT_NEAR(value[static_cast<std::size_t>(c * this->count() + i)], sum[c],
                      4.0 * this->kRounding * mass)
              << i << ", plane " << c;
        }
      }
    });
  }
}

TYPED_TEST(ResidualKernels, MomentsEqualTheirDefinition) {
  using T = TypeParam;
  for (const int number : {0, 1, 3}) {
    std::vector<FullMoments> moments(this->pixels.size());
    test::for_each_target([&] {
      residual_moments<T>(this->pixels.data(), this->count(),
                          this->block(std::as_const(this->planes).data(), number),
                          this->scratch.data(), this->coef.data(), moments.data());
      for (Index i = 0; i < this->count(); ++i) {
        FullMoments expected;
        for_taps(this->pixels[static_cast<std::size_t>(i)], kWidth,
                 [&](Index element, double g, double z1, double z2) {
                   double y = 0.0;
                   for (int c = 0; c < number; ++c) {
                     y += static_cast<double>(this->of_plane(c)[i]) *
                          static_cast<double>(this->planes.data()[c * kHeight * kWidth + element]);
                   }
                   const double by[4] = {1.0, z1 * z1, z1 * z2, z2 * z2};
                   for (int m = 0; m < 4; ++m) {
                     expected.norm[m] += g * by[m];
                     expected.value[m] += g * by[m] * y;
                   }
                 });
        const FullMoments& got = moments[static_cast<std::size_t>(i)];
        for (int m = 0; m < 4; ++m) {
          const double scale = 10.0 * this->kRounding * expected.norm[0];
          EXPECT_NEAR(got.norm[m], expected.norm[m], scale) << i << ", moment " << m;
          EXPECT_NEAR(got.value[m], expected.value[m], 10.0 * scale) << i << ", moment " << m;
        }
      }
    });
  }
}

TYPED_TEST(ResidualKernels, SpreadsEqualTheirDefinition) {
  using T = TypeParam;
  const auto along = test::random_image<T>(this->coef.shape(), 3);
  std::vector<FullPolynomial> polynomials;
  Random random(4);
  for (Index i = 0; i < this->count(); ++i) {
    polynomials.push_back({random.normal(), random.normal(), random.normal(), random.normal()});
  }
  for (const int number : {1, 3}) {
    for (const bool slopes : {false, true}) {
      Image<double> expected({1, number, kHeight, kWidth});
      for (Index i = 0; i < this->count(); ++i) {
        const FullPolynomial& p = polynomials[static_cast<std::size_t>(i)];
        for_taps(this->pixels[static_cast<std::size_t>(i)], kWidth,
                 [&](Index element, double g, double z1, double z2) {
                   const double by =
                       slopes ? p.one + p.z1sq * z1 * z1 + p.z1z2 * z1 * z2 + p.z2sq * z2 * z2 : 0;
                   for (int c = 0; c < number; ++c) {
                     expected.data()[c * kHeight * kWidth + element] +=
                         g * (static_cast<double>(this->of_plane(c)[i]) +
                              by * static_cast<double>(along.data()[c * this->count() + i]));
                   }
                 });
      }
      test::for_each_target([&] {
        Image<T> out({1, number, kHeight, kWidth});
        residual_spread<T>(this->pixels.data(), polynomials.data(), this->count(),
                           this->block(out.data(), number), this->scratch.data(), this->coef.data(),
                           slopes ? along.data() : nullptr);
        EXPECT_LT(test::distance(out, expected), 10.0 * this->kRounding);
      });
    }
  }
}

// What is left of covariances: levels as coarse as may be, T = Sigma / D^2 - A I.
TEST(ResidualShapes, AreWhatLevelsLeave) {
  const ResidualRule rule{0.95, 1.8, 3.9, 1000.0, 1000.0};
  Random random(7);
  test::for_each_target([&] {
    for (Index turn = 0; turn < 40; ++turn) {
      ResidualParams<double> params;
      params.count = 1 + turn;
      params.y = random.integer(-50, 200);
      params.x = random.integer(-50, 200);
      for (Index i = 0; i < params.count; ++i) {
        params.a[i] = random.uniform(-1.5, 3.5);
        params.b[i] = random.normal() * 3.0;
        params.c[i] = random.uniform(-1.5, 3.5);
      }
      ResidualShapes shapes;
      ASSERT_TRUE(residual_shapes(rule, params, shapes));
      ResidualHull hull;
      double box = 0.0;
      bool one_level = true;
      for (Index i = 0; i < params.count; ++i) {
        const ResidualPixel p = shapes.pixel(i);
        const double step = shapes.step[i];
        const auto [yy, yx, xx] = logchol_to_cov({params.a[i], params.b[i], params.c[i]});
        const double least = 0.5 * (yy + xx - std::hypot(yy - xx, 2.0 * yx));
        const double power = std::exp2(std::floor(std::log2(step)));
        const double next = step == power          ? 1.25 * power
                            : step == 1.25 * power ? 1.625 * power
                                                   : 2.0 * power;
        EXPECT_TRUE(next > 2.0 * power - 1e-9 ? step == 1.625 * power : next > step);
        EXPECT_TRUE(step == 1.0 || least >= rule.least * step * step * (1 - 1e-9));
        EXPECT_LT(least, rule.least * next * next * (1 + 1e-9));
        const double prefilter = step > 1.0 ? rule.prefilter : 0.0;
        const double t_yy = yy / (step * step) - prefilter;
        const double t_yx = yx / (step * step);
        const double t_xx = xx / (step * step) - prefilter;
        EXPECT_NEAR(p.inv_y * std::sqrt(t_yy), 1.0, 1e-12);
        EXPECT_NEAR(p.slope, t_yx / t_yy, 1e-12 * (1.0 + std::abs(p.slope)));
        EXPECT_NEAR(p.inv_x * p.inv_x * (t_xx - t_yx * t_yx / t_yy), 1.0, 1e-7);
        EXPECT_NEAR(p.y, (static_cast<double>(params.y) - 0.5 * (step - 1)) / step, 1e-12);
        EXPECT_NEAR(p.x, (static_cast<double>(params.x + i) - 0.5 * (step - 1)) / step, 1e-12);
        // All samples within reach, and half a sample more where a Gaussian is broad.
        const double sy = 1.0 / p.inv_y;
        const double sx = 1.0 / p.inv_x;
        const double half_y = std::min(3.9 * sy + 0.5, 4.9 * sy);
        EXPECT_EQ(p.first, static_cast<Index>(std::ceil(p.y - half_y)));
        EXPECT_EQ(p.first + p.rows - 1, static_cast<Index>(std::floor(p.y + half_y)));
        EXPECT_GE(static_cast<double>(p.taps), 2.0 * (3.9 * sx + 0.5));
        EXPECT_LE(static_cast<double>(p.taps), 2.0 * (3.9 * sx + 0.5) + 2.0);
        EXPECT_TRUE(sx >= 1.0 || p.taps % 2 == 1);
        hull.add(shapes.hull_of(i));
        box += std::sqrt(yy * xx);
        one_level = one_level && step == shapes.step[0];
        EXPECT_NEAR(shapes.half_x[i],
                    0.5 * static_cast<double>(p.taps) + std::abs(p.slope) * half_y, 1e-9);
      }
      EXPECT_EQ(shapes.one_level, one_level);
      EXPECT_EQ(shapes.hull.low_y, hull.low_y);
      EXPECT_EQ(shapes.hull.high_y, hull.high_y);
      EXPECT_NEAR(shapes.hull.low_x, hull.low_x, 1e-9);
      EXPECT_NEAR(shapes.hull.high_x, hull.high_x, 1e-9);
      EXPECT_EQ(shapes.hull.row_taps, hull.row_taps);
      EXPECT_EQ(shapes.hull.taps, hull.taps);
      EXPECT_NEAR(shapes.box, box, 1e-9 * box);
    }
  });
}

TEST(ResidualShapes, RefuseWhatIsTooLong) {
  const ResidualRule rule{0.95, 1.8, 3.9, 1000.0, 512.0};
  ResidualShapes shapes;
  const auto takes = [&](double a, double b, double c) {
    ResidualParams<double> params;
    params.count = 1;
    params.a[0] = a;
    params.b[0] = b;
    params.c[0] = c;
    return residual_shapes(rule, params, shapes);
  };
  test::for_each_target([&] {
    EXPECT_TRUE(takes(0.0, 0.0, 0.0));
    EXPECT_TRUE(takes(-80.0, 0.0, -80.0));
    EXPECT_TRUE(takes(-700.0, 1.0, -700.0));
    EXPECT_TRUE(takes(std::log(600.0), 0.0, std::log(600.0)));
    EXPECT_FALSE(takes(std::log(600.0), 0.0, 0.0));  // a line
    EXPECT_FALSE(takes(0.0, 1e4, 0.0));              // a line
    EXPECT_FALSE(takes(8.0, 0.0, 8.0));              // a level too coarse
    EXPECT_FALSE(takes(600.0, 0.0, 600.0));
    EXPECT_FALSE(takes(0.0, 1e200, 0.0));
  });
}

}  // namespace
}  // namespace blurfield::kernels
