// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/downsampled.h"

#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

TEST(Downsampled, IsTheMeanOverLargePixels) {
  const Shape fine{2, 2, 12, 15};
  for (const Border& border : test::all_borders()) {
    const auto inner = psf_operator<double>(fine, test::lopsided_psf(3, 5), border);
    const auto blur =
        downsampled<double>(psf_operator<double>(fine, test::lopsided_psf(3, 5), border), 3);
    EXPECT_EQ(blur->frame(), (Shape{2, 2, 4, 5}));
    EXPECT_EQ(blur->scene(), inner->scene());
    EXPECT_EQ(blur->margin(), inner->margin());
    EXPECT_EQ(blur->border().extend, border.extend);
    EXPECT_EQ(blur->psf(), nullptr);
    const auto x = test::random_image<double>(blur->scene(), 1);
    const auto whole = test::forward(*inner, x);
    const auto seen = test::forward(*blur, x);
    for (Index y = 0; y < 4; ++y) {
      for (Index col = 0; col < 5; ++col) {
        double sum = 0.0;
        for (Index i = 0; i < 9; ++i) sum += whole.view().at(1, 0, 3 * y + i / 3, 3 * col + i % 3);
        EXPECT_NEAR(seen.view().at(1, 0, y, col), sum / 9.0, 1e-14);
      }
    }
  }
}

TEST(Downsampled, DrawsAPointInTheLargePixelThatHoldsIt) {
  const auto blur =
      downsampled<double>(psf_operator<double>({1, 1, 12, 12}, test::lopsided_psf(1, 1)), 4);
  const auto seen = test::impulse_response(*blur, 7, 8);
  EXPECT_NEAR(seen.view().at(0, 0, 1, 2), 1.0 / 16.0, 1e-15);
  EXPECT_NEAR(test::norm(seen), 1.0 / 16.0, 1e-15);
}

TEST(Downsampled, HasAnExactAdjointAndBound) {
  for (const Border& border : test::all_borders()) {
    for (Index factor : {1, 2, 5}) {
      const Shape fine{1, 2, 20, 30};
      const std::vector<double> sigma{1.1};
      const auto blur = downsampled<double>(gaussian_operator<double>(fine, sigma, border), factor);
      test::expect_exact_adjoint(*blur);
      const double norm = test::largest_singular_value(*blur);
      EXPECT_GE(blur->norm_bound(), norm);
      EXPECT_LE(blur->norm_bound(), 1.25 * norm);
    }
  }
}

TEST(Downsampled, RefusesFactorsThatDoNotDivide) {
  const auto make = [](Index factor) {
    return test::error_of([&] {
      downsampled<double>(psf_operator<double>({1, 1, 12, 15}, test::lopsided_psf(3, 3)), factor);
    });
  };
  EXPECT_EQ(make(3), "");
  EXPECT_EQ(make(2),
            "downsampled: expected a factor that divides the frame of 12 x 15 pixels, got 2");
  EXPECT_NE(make(0), "");
  EXPECT_NE(make(-3), "");
  EXPECT_NE(test::error_of([] { downsampled<double>(nullptr, 1); }), "");
}

}  // namespace
}  // namespace blurfield
