// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/psf.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "blurfield/ops/gaussian_kernel.h"
#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

double sum(const Image<double>& psf) {
  double total = 0.0;
  for (Index i = 0; i < psf.elements(); ++i) total += psf.data()[i];
  return total;
}

double at(const Image<double>& psf, Index dy, Index dx) {
  const Index y = psf.shape()[0] / 2 + dy;
  const Index x = psf.shape()[1] / 2 + dx;
  return psf.data()[y * psf.shape()[1] + x];
}

// The mean of f over the pixel at (dy, dx), by points in the middle of n x n squares.
template <class F>
double supersampled(const F& f, Index dy, Index dx, int n) {
  double total = 0.0;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      total += f(static_cast<double>(dy) - 0.5 + (i + 0.5) / n,
                 static_cast<double>(dx) - 0.5 + (j + 0.5) / n);
    }
  }
  return total / n / n;
}

TEST(Psf, SumToOneInOddSizes) {
  for (const char* text :
       {"gauss:0.3", "gauss:2.5", "disk:0.2", "disk:0.5", "disk:3.7", "motion:0@0", "motion:0.4@45",
        "motion:17.3@200", "moffat:0.01,3", "moffat:2.5,1.5", "moffat:3,1e6"}) {
    const Image<double> psf = *parse_psf(text);
    EXPECT_NEAR(sum(psf), 1.0, 1e-14) << text;
    EXPECT_EQ(psf.shape()[0] % 2, 1) << text;
    EXPECT_EQ(psf.shape()[1] % 2, 1) << text;
    for (Index i = 0; i < psf.elements(); ++i) EXPECT_GE(psf.data()[i], 0.0) << text;
  }
}

TEST(Psf, GaussianIsTheSampledOne) {
  const Image<double> psf = gaussian_psf(1.7, 3.0);
  EXPECT_EQ(psf.shape(), (Shape{11, 11}));
  const auto w = gaussian_kernel1d(1.7, 5);
  EXPECT_NEAR(at(psf, -2, 3), w[3] * w[8], 1e-16);
}

TEST(Psf, DiskCoversItsAreaOfEachPixel) {
  for (double radius : {0.4, 1.0, 1.7, 4.25}) {
    const Image<double> psf = disk_psf(radius);
    const auto reach = static_cast<Index>(std::ceil(radius - 0.5));
    EXPECT_EQ(psf.shape(), (Shape{2 * reach + 1, 2 * reach + 1})) << radius;
    const double area = std::numbers::pi * radius * radius;
    const auto inside = [&](double y, double x) { return y * y + x * x <= radius * radius; };
    for (Index dy = -reach; dy <= reach; ++dy) {
      for (Index dx = -reach; dx <= reach; ++dx) {
        EXPECT_NEAR(at(psf, dy, dx) * area, supersampled(inside, dy, dx, 1000), 2e-4)
            << radius << " at " << dy << ", " << dx;
        EXPECT_NEAR(at(psf, dy, dx), at(psf, dx, -dy), 1e-15);
      }
    }
  }
  // Known: a pixel wholly inside, and one that the circle touches only.
  EXPECT_NEAR(at(disk_psf(3.0), 1, 1), 1.0 / (9.0 * std::numbers::pi), 1e-15);
  EXPECT_EQ(disk_psf(0.5).shape(), (Shape{1, 1}));
}

TEST(Psf, MotionSharesItsPathAmongPixels) {
  const Image<double> along_x = motion_psf(5.0, 0.0);
  EXPECT_EQ(along_x.shape(), (Shape{1, 5}));
  for (Index dx = -2; dx <= 2; ++dx) EXPECT_NEAR(at(along_x, 0, dx), 0.2, 1e-15);
  const Image<double> along_y = motion_psf(4.0, 90.0);
  EXPECT_EQ(along_y.shape(), (Shape{5, 1}));
  EXPECT_NEAR(at(along_y, 2, 0), 0.125, 1e-15);
  EXPECT_NEAR(at(along_y, 1, 0), 0.25, 1e-15);
  EXPECT_EQ(motion_psf(0.0, 33.0).shape(), (Shape{1, 1}));
  for (double angle : {17.0, 45.0, 100.0, -60.0, 725.0}) {
    const double length = 13.4;
    const Image<double> psf = motion_psf(length, angle);
    const double radians = angle * std::numbers::pi / 180.0;
    Image<double> counted(psf.shape());
    const int steps = 200001;
    for (int i = 0; i < steps; ++i) {
      const double t = length * ((i + 0.5) / steps - 0.5);
      const Index y = std::lround(-t * std::sin(radians)) + psf.shape()[0] / 2;
      const Index x = std::lround(t * std::cos(radians)) + psf.shape()[1] / 2;
      ASSERT_TRUE(y >= 0 && x >= 0 && y < psf.shape()[0] && x < psf.shape()[1]);
      counted.data()[y * psf.shape()[1] + x] += 1.0 / steps;
    }
    EXPECT_LE(test::distance(psf, counted), 2e-5) << angle;
  }
}

TEST(Psf, MotionRisesToTheRight) {
  const Image<double> psf = motion_psf(9.0, 30.0);
  EXPECT_GT(at(psf, -1, 2), 0.1);
  EXPECT_EQ(at(psf, 1, 2), 0.0);
  EXPECT_NEAR(at(psf, -1, 2), at(psf, 1, -2), 1e-15);
  const Image<double> falling = motion_psf(9.0, -30.0);
  EXPECT_GT(at(falling, 1, 2), 0.1);
  EXPECT_EQ(at(falling, -1, 2), 0.0);
}

TEST(Psf, MoffatIntegratesOverPixels) {
  for (const auto& [fwhm, beta] : {std::pair{3.0, 2.5}, std::pair{0.8, 4.0}, std::pair{1.5, 1.8}}) {
    const double alpha = 0.5 * fwhm / std::sqrt(std::pow(2.0, 1.0 / beta) - 1.0);
    const auto profile = [&, b = beta](double y, double x) {
      return std::pow(1.0 + (y * y + x * x) / alpha / alpha, -b);
    };
    const Image<double> psf = moffat_psf(fwhm, beta);
    const double centre = supersampled(profile, 0, 0, 2000);
    for (const auto& [dy, dx] : {std::pair{0, 1}, std::pair{1, 1}, std::pair{-2, 3}}) {
      EXPECT_NEAR(at(psf, dy, dx) / at(psf, 0, 0), supersampled(profile, dy, dx, 2000) / centre,
                  1e-6);
      EXPECT_NEAR(at(psf, dy, dx), at(psf, -dx, dy), 1e-15);
    }
  }
}

TEST(Psf, MoffatIsCutWhereAThousandthIsLeft) {
  // alpha = 1 pixel for this width; 10^(3 / 2) = 1 + r^2.
  const double fwhm = 2.0 * std::sqrt(std::pow(2.0, 1.0 / 3.0) - 1.0);
  EXPECT_EQ(moffat_psf(fwhm, 3.0).shape(), (Shape{13, 13}));  // r = 5.53
  EXPECT_EQ(moffat_psf(1.0, 1.01).shape(), (Shape{129, 129}));
}

TEST(Psf, NormalisedKeepsTheCentre) {
  Image<double> psf({4, 2});
  for (Index i = 0; i < 8; ++i) psf.data()[i] = static_cast<double>(i + 1);
  const Image<double> odd = normalised_psf(psf);
  ASSERT_EQ(odd.shape(), (Shape{5, 3}));
  for (Index y = 0; y < 5; ++y) {
    for (Index x = 0; x < 3; ++x) {
      const double expected = y < 4 && x < 2 ? static_cast<double>(2 * y + x + 1) / 36.0 : 0.0;
      EXPECT_NEAR(odd.data()[3 * y + x], expected, 1e-16);
      // The value at the centre of the one is that at the centre of the other.
    }
  }
  EXPECT_NEAR(at(odd, 0, 0), 6.0 / 36.0, 1e-16);
  Image<double> huge = test::constant_image<double>({3, 3}, 1e308);
  EXPECT_NEAR(at(normalised_psf(huge), 1, -1), 1.0 / 9.0, 1e-16);
  Image<double> signs({1, 3});
  signs.data()[0] = -1.0;
  signs.data()[1] = 3.0;
  EXPECT_NEAR(at(normalised_psf(signs), 0, -1), -0.5, 1e-16);
}

TEST(Psf, NormalisedRefusesWhatIsNone) {
  Image<double> zero({3, 3});
  EXPECT_EQ(test::error_of([&] { normalised_psf(zero); }),
            "psf: expected values with a sum > 0, got 0");
  zero.data()[4] = -2.0;
  EXPECT_EQ(test::error_of([&] { normalised_psf(zero); }),
            "psf: expected values with a sum > 0, got -2");
  zero.data()[5] = NAN;
  EXPECT_EQ(test::error_of([&] { normalised_psf(zero); }),
            "psf: expected finite values, got nan at (1, 2)");
  EXPECT_THROW(normalised_psf(Image<double>({1, 3, 3})), Error);
  EXPECT_THROW(normalised_psf(Image<double>({0, 3})), Error);
}

TEST(Psf, ParsesItsTexts) {
  EXPECT_TRUE(test::same_bits(*parse_psf("gauss:1.5"), gaussian_psf(1.5)));
  EXPECT_TRUE(test::same_bits(*parse_psf("disk:2"), disk_psf(2.0)));
  EXPECT_TRUE(test::same_bits(*parse_psf("motion:9@-30.5"), motion_psf(9.0, -30.5)));
  EXPECT_TRUE(test::same_bits(*parse_psf("moffat:2.5,3.5"), moffat_psf(2.5, 3.5)));
  for (const char* file : {"", "psf.png", "gauss", "gaussian:2", "C:psf.npy", "Disk:3"}) {
    EXPECT_FALSE(parse_psf(file).has_value()) << file;
  }
}

TEST(Psf, NamesATextThatIsWrong) {
  EXPECT_EQ(test::error_of([] { parse_psf("disk:wide"); }),
            "psf 'disk:wide': expected disk:RADIUS");
  EXPECT_EQ(test::error_of([] { parse_psf("disk:-1"); }),
            "psf 'disk:-1': disk_psf: expected a radius > 0, got -1");
  for (const std::string text :
       {"gauss:",       "gauss:0",     "gauss:1,2", "gauss:1e9",    "gauss:nan",    "gauss:inf",
        "gauss: 1",     "disk:0",      "disk:1x",   "disk:1e5",     "motion:5",     "motion:5,30",
        "motion:-1@0",  "motion:1@",   "motion:@4", "motion:1@2@3", "motion:1e6@3", "motion:3@inf",
        "moffat:2",     "moffat:2,",   "moffat:,2", "moffat:2,1",   "moffat:0,3",   "moffat:2;3",
        "moffat:2,3,4", "moffat:1e5,2"}) {
    const std::string error = test::error_of([&] { parse_psf(text); });
    EXPECT_TRUE(error.starts_with("psf '" + text + "': expected") ||
                error.starts_with("psf '" + text + "': " + text.substr(0, 4)))
        << text << " gave: " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace blurfield
