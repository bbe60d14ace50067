// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/psf_operator.h"

#include "blurfield/deblur/psf.h"
#include "tests/reference/correlate_definition.h"
#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

template <class T>
class PsfOperator : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PsfOperator, Types);

TYPED_TEST(PsfOperator, ConvolvesByDefinition) {
  using T = TypeParam;
  const Shape frame{2, 2, 15, 19};
  // Small ones take the direct or separable way, the large one may take Fourier's.
  for (const Image<double>& psf :
       {test::lopsided_psf(5, 3), test::lopsided_psf(15, 19), gaussian_psf(1.2)}) {
    for (const Border& border : test::all_borders()) {
      const auto blur = psf_operator<T>(frame, psf, border);
      const auto x = test::random_image<T>(blur->scene(), 1);
      CorrelateOptions options;
      options.flip = true;
      options.extension.mode = border.mode;
      options.output = border.extend ? Output::valid : Output::same;
      const auto expected =
          test::correlate_by_definition(test::converted<double>(x), *blur->psf(), options);
      EXPECT_LE(test::distance(test::forward(*blur, x), expected), sizeof(T) == 8 ? 1e-13 : 3e-6)
          << test::border_text(border) << " " << psf.shape().text();
    }
  }
}

// A point of light becomes the point-spread function itself, y down, x to the right.
TEST(PsfOperator, DrawsItsPsf) {
  Image<double> psf({3, 5});
  const std::vector<double> taps{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (std::size_t i = 0; i < taps.size(); ++i) psf.data()[i] = taps[i] / 120.0;
  for (const Border& border : test::all_borders()) {
    const auto blur = psf_operator<double>({1, 1, 11, 13}, psf, border);
    const auto seen = test::impulse_response(*blur, 4, 6);
    EXPECT_LE(test::distance(test::around(seen, 4, 6, 3, 5), psf), 1e-14)
        << test::border_text(border);
    EXPECT_NEAR(test::norm(seen), test::norm(psf), 1e-14);  // and nothing else
  }
}

TEST(PsfOperator, CentresEvenSizesAtTheHalf) {
  Image<double> psf({2, 4});
  psf.data()[0] = 1.0;  // a row up and two pixels to the left of the centre (1, 2)
  const auto blur = psf_operator<double>({1, 1, 8, 9}, psf, {true, Mode::reflect});
  EXPECT_EQ(blur->psf()->shape(), (Shape{3, 5}));
  const auto seen = test::impulse_response(*blur, 4, 5);
  EXPECT_NEAR(seen.view().at(0, 0, 3, 3), 1.0, 1e-14);
  EXPECT_NEAR(test::norm(seen), 1.0, 1e-14);
}

TEST(PsfOperator, MovesTheSceneByAnOffCentrePsf) {
  Image<double> psf({7, 7});
  psf.data()[0 * 7 + 5] = 4.0;  // three up, two to the right
  const auto blur = psf_operator<double>({1, 1, 10, 12}, psf, {true, Mode::reflect});
  const auto scene = test::random_image<double>(blur->scene(), 5);
  const auto seen = test::forward(*blur, scene);
  for (Index y = 0; y < 10; ++y) {
    for (Index x = 0; x < 12; ++x) {
      EXPECT_NEAR(seen.view().at(0, 0, y, x), scene.view().at(0, 0, y + 6, x + 1), 1e-14);
    }
  }
}

TEST(PsfOperator, SmearsMotionToTheTopRight) {
  const auto blur = psf_operator<double>({1, 1, 21, 21}, motion_psf(9.0, 30.0));
  const auto seen = test::impulse_response(*blur, 10, 10);
  EXPECT_GT(seen.view().at(0, 0, 9, 12), 0.1);
  EXPECT_GT(seen.view().at(0, 0, 11, 8), 0.1);
  EXPECT_NEAR(seen.view().at(0, 0, 11, 12), 0.0, 1e-15);
}

TEST(PsfOperator, BoundsNegativePsfsToo) {
  Image<double> psf({3, 3});
  for (Index i = 0; i < 9; ++i) psf.data()[i] = -0.5;
  psf.data()[4] = 5.0;
  for (const Border& border : test::all_borders()) {
    const auto blur = psf_operator<double>({1, 1, 24, 26}, psf, border);
    const double norm = test::largest_singular_value(*blur, 400);
    EXPECT_GT(norm, 2.0);
    EXPECT_GE(blur->norm_bound(), norm);
    // Pixels that these modes copy count more than once.
    const bool copies =
        !border.extend && (border.mode == Mode::mirror || border.mode == Mode::nearest);
    EXPECT_LE(blur->norm_bound(), copies ? 11.0 : 9.001);
  }
}

TEST(PsfOperator, RefusesWhatDoesNotFit) {
  const Shape frame{1, 1, 20, 30};
  EXPECT_EQ(test::error_of([&] { psf_operator<double>(frame, test::lopsided_psf(21, 5)); }),
            "psf: expected one no larger than the image of 20 x 30 pixels, got 21 x 5");
  EXPECT_NE(psf_operator<double>(frame, test::lopsided_psf(20, 30)), nullptr);
  EXPECT_EQ(test::error_of([&] {
              psf_operator<double>(frame, Image<double>({3, 3}));
            }),
            "psf: expected values with a sum > 0, got 0");
  Image<double> bad = test::lopsided_psf(3, 3);
  bad.data()[3] = NAN;
  EXPECT_EQ(test::error_of([&] { psf_operator<double>(frame, bad); }),
            "psf: expected finite values, got nan at (1, 0)");
}

}  // namespace
}  // namespace blurfield
