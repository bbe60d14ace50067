// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/colour_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace blurfield::report {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

double luma(const std::array<float, 3>& rgb) {
  return 0.2126 * std::pow(rgb[0], 2.2) + 0.7152 * std::pow(rgb[1], 2.2) +
         0.0722 * std::pow(rgb[2], 2.2);
}

TEST(ColourMap, EndsAndMiddleAreThoseOfMatplotlib) {
  const auto near = [](const std::array<float, 3>& rgb, double r, double g, double b) {
    EXPECT_NEAR(rgb[0], r, 0.01);
    EXPECT_NEAR(rgb[1], g, 0.01);
    EXPECT_NEAR(rgb[2], b, 0.01);
  };
  near(colour(ColourMap::viridis, 0), 0.267, 0.005, 0.329);
  near(colour(ColourMap::viridis, 0.5), 0.128, 0.567, 0.551);
  near(colour(ColourMap::viridis, 1), 0.993, 0.906, 0.144);
  near(colour(ColourMap::magma, 0), 0.001, 0.0, 0.014);
  near(colour(ColourMap::magma, 1), 0.987, 0.991, 0.750);
  EXPECT_EQ(colour(ColourMap::magma, -3), colour(ColourMap::magma, 0));
  EXPECT_EQ(colour(ColourMap::magma, 7), colour(ColourMap::magma, 1));
}

TEST(ColourMap, BrightnessRises) {
  for (const ColourMap map : {ColourMap::viridis, ColourMap::magma}) {
    for (int i = 0; i < 100; ++i) {
      EXPECT_LT(luma(colour(map, i / 100.0)), luma(colour(map, (i + 1) / 100.0))) << i;
    }
  }
}

TEST(ColourMap, RangeAndPaintSkipWhatIsNotFinite) {
  Image<float> values({2, 2, 1, 3});
  values.view().at(1, 1, 0, 0) = 5;
  values.view().at(1, 1, 0, 1) = kNan;
  values.view().at(1, 1, 0, 2) = -1;
  const Range range = value_range(values.view(), 1, 1);
  EXPECT_EQ(range.low, -1);
  EXPECT_EQ(range.high, 5);
  const Image<float> picture = paint(values.view(), ColourMap::viridis, range, 1, 1);
  ASSERT_EQ(picture.shape(), (Shape{1, 3, 1, 3}));
  for (Index c = 0; c < 3; ++c) {
    const auto i = static_cast<std::size_t>(c);
    EXPECT_EQ(picture.view().at(0, c, 0, 0), colour(ColourMap::viridis, 1)[i]);
    EXPECT_EQ(picture.view().at(0, c, 0, 1), 0.5f);
    EXPECT_EQ(picture.view().at(0, c, 0, 2), colour(ColourMap::viridis, 0)[i]);
  }
}

}  // namespace
}  // namespace blurfield::report
