// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/noise_level.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "blurfield/base/error.h"
#include "tests/support/images.h"

namespace blurfield::test {
namespace {

TEST(NoiseLevel, IsTheStandardDeviationOfWhiteNoise) {
  Image<double> image = random_image<double>({1, 2, 400, 300}, 5);
  for (Index i = 0; i < image.elements(); ++i) image.data()[i] *= 3.0;
  EXPECT_NEAR(noise_level<double>(image), 3.0, 0.03);
  EXPECT_NEAR(noise_level<float>(converted<float>(image)), 3.0, 0.03);
}

TEST(NoiseLevel, ServesSignalsAndFlatImages) {
  EXPECT_NEAR(noise_level<double>(random_image<double>({1, 1, 40000}, 6)), 1.0, 0.03);
  EXPECT_NEAR(noise_level<double>(random_image<double>({1, 1, 1, 40000}, 6)), 1.0, 0.03);
  EXPECT_NEAR(noise_level<double>(random_image<double>({1, 1, 40000, 1}, 6)), 1.0, 0.03);
}

TEST(NoiseLevel, DoesNotSeeSlopes) {
  Image<double> image({1, 1, 128, 128});
  for (Index y = 0; y < 128; ++y) {
    for (Index x = 0; x < 128; ++x) {
      image.view().at(0, 0, y, x) = 5.0 * static_cast<double>(y) - 3.0 * static_cast<double>(x);
    }
  }
  EXPECT_LT(noise_level<double>(image), 1e-9);
}

TEST(NoiseLevel, LeavesOutWhatTheWeightMasks) {
  Image<double> image = random_image<double>({1, 1, 200, 200}, 8);
  Image<double> weight = constant_image<double>({1, 1, 200, 200}, 1.0);
  for (Index y = 0; y < 150; ++y) {
    for (Index x = 0; x < 200; ++x) {
      image.view().at(0, 0, y, x) *= 50;
      weight.view().at(0, 0, y, x) = 0;
    }
  }
  EXPECT_GT(noise_level<double>(image), 10.0);
  EXPECT_NEAR(noise_level<double>(image, weight.view()), 1.0, 0.1);
}

TEST(NoiseLevel, OfTooFewPixelsIsZero) {
  EXPECT_EQ(noise_level<double>(random_image<double>({1, 1, 3, 3}, 1)), 0.0);
  const Image<double> nothing({1, 1, 9, 9});
  EXPECT_EQ(noise_level<double>(random_image<double>({1, 1, 9, 9}, 1), nothing.view()), 0.0);
}

TEST(NoiseLevel, RefusesWhatItCannotRead) {
  Image<double> image = random_image<double>({1, 1, 8, 8}, 1);
  const Image<double> narrow = constant_image<double>({1, 1, 8, 7}, 1.0);
  EXPECT_THROW(noise_level<double>(image, narrow.view()), Error);
  image.data()[5] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(noise_level<double>(image), Error);
}

}  // namespace
}  // namespace blurfield::test
