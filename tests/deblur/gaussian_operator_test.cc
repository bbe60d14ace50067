// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/gaussian_operator.h"

#include "blurfield/ops/gaussian_kernel.h"
#include "blurfield/ops/uniform_blur.h"
#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

const std::vector<std::vector<double>> kGaussians{{1.4}, {0.7, 2.2}, {0.0, 1.5}, {0.1, 0.9, 0.3}};

template <class T>
class GaussianOperator : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GaussianOperator, Types);

// The blur is the convolution with the point-spread function that it names.
TYPED_TEST(GaussianOperator, ConvolvesWithItsPsf) {
  using T = TypeParam;
  for (const auto& gaussian : kGaussians) {
    for (const Border& border : test::all_borders()) {
      const auto blur = gaussian_operator<T>({2, 2, 23, 29}, gaussian, border);
      ASSERT_NE(blur->psf(), nullptr);
      const auto twin = psf_operator<T>({2, 2, 23, 29}, *blur->psf(), border);
      ASSERT_EQ(blur->scene(), twin->scene());
      const auto x = test::random_image<T>(blur->scene(), 1);
      EXPECT_LE(test::distance(test::forward(*blur, x), test::forward(*twin, x)),
                sizeof(T) == 8 ? 1e-13 : 2e-6)
          << gaussian.size() << " parameters, " << test::border_text(border);
    }
  }
}

TEST(GaussianOperator, PlainModesAreThoseOfUniformBlur) {
  const auto x = test::random_image<double>({1, 2, 17, 19}, 3);
  for (Mode mode : test::kModes) {
    BlurOptions options = test::with(mode);
    options.truncate = 2.5;
    const std::vector<double> gaussian{2.0};
    const auto blur = gaussian_operator<double>(x.shape(), gaussian, {false, mode}, options);
    const auto expected = uniform_blur<double>(x, gaussian, options);
    EXPECT_TRUE(test::same_bits(test::forward(*blur, x), expected));
  }
}

TYPED_TEST(GaussianOperator, AConstantFieldIsUniform) {
  using T = TypeParam;
  const Shape frame{1, 2, 21, 26};
  for (const std::vector<double>& gaussian :
       {std::vector<double>{1.4}, {0.7, 2.2}, {0.1, 0.9, 0.3}}) {
    Image<T> field({1, static_cast<Index>(gaussian.size()), frame[2], frame[3]});
    for (Index i = 0; i < field.elements(); ++i) {
      field.data()[i] = static_cast<T>(gaussian[static_cast<std::size_t>(i / frame[2] / frame[3])]);
    }
    for (const Border& border : test::all_borders()) {
      for (bool scatter : {false, true}) {
        // A uniform full covariance keeps its tilt in a reflection, where a scattered one turns.
        if (scatter && gaussian.size() == 3 && !border.extend &&
            (border.mode == Mode::reflect || border.mode == Mode::mirror)) {
          continue;
        }
        AdaptiveBlurOptions options;
        options.scatter = scatter;
        const auto blur = adaptive_operator<T>(frame, field, border, options);
        const auto uniform = gaussian_operator<T>(frame, gaussian, border);
        ASSERT_EQ(blur->scene(), uniform->scene());
        const auto x = test::random_image<T>(blur->scene(), 1);
        EXPECT_LE(test::distance(test::forward(*blur, x), test::forward(*uniform, x)),
                  sizeof(T) == 8 ? 1e-13 : 3e-6)
            << test::border_text(border) << (scatter ? " scatter" : " gather");
        EXPECT_EQ(blur->psf(), nullptr);
      }
    }
  }
}

// With border.extend the scene is an image of its own size, whose field goes on by nearest.
TYPED_TEST(GaussianOperator, AFieldGoesOnBeyondTheFrame) {
  using T = TypeParam;
  const Shape frame{2, 2, 16, 20};
  for (Index kind = 1; kind <= 3; ++kind) {
    for (bool scatter : {false, true}) {
      AdaptiveBlurOptions options;
      options.scatter = scatter;
      const auto field =
          test::converted<T>(test::field_of({2, 1, frame[2], frame[3]}, kind, 0.5, 2.0));
      const auto blur = adaptive_operator<T>(frame, field, {}, options);
      const auto [my, mx] = blur->margin();
      // Twice the margin, so that the border of the image that is blurred does not matter.
      const Shape wide{2, 2, frame[2] + 4 * my, frame[3] + 4 * mx};
      Image<T> wide_field({2, kind, wide[2], wide[3]});
      for (Index n = 0; n < 2; ++n) {
        for (Index c = 0; c < kind; ++c) {
          for (Index y = 0; y < wide[2]; ++y) {
            for (Index x = 0; x < wide[3]; ++x) {
              wide_field.view().at(n, c, y, x) =
                  field.view().at(n, c, extend(y - 2 * my, frame[2], Mode::nearest),
                                  extend(x - 2 * mx, frame[3], Mode::nearest));
            }
          }
        }
      }
      const auto image = test::random_image<T>(wide, 8);
      const auto window = [&](Index margin_y, Index margin_x) {
        View<const T> view = image.view();
        view.data += margin_y * view.y_stride() + margin_x * view.x_stride();
        view.shape[2] -= 2 * margin_y;
        view.shape[3] -= 2 * margin_x;
        return view;
      };
      options.extension.mode = Mode::wrap;  // any
      const auto whole = adaptive_blur<T>(image, wide_field, options);
      View<const T> expected = whole.view();
      expected.data += 2 * my * expected.y_stride() + 2 * mx * expected.x_stride();
      expected.shape = frame;
      EXPECT_LE(test::distance(test::forward(*blur, Image<T>(window(my, mx))), Image<T>(expected)),
                sizeof(T) == 8 ? 1e-13 : 2e-6)
          << kind << (scatter ? " scatter" : " gather");
    }
  }
}

// Gather: the recording pixel's kernel; scatter: the source's.
TEST(GaussianOperator, DrawsTheKernelOfSourceOrRecord) {
  const Shape frame{1, 1, 15, 31};
  Image<double> field({1, 1, frame[2], frame[3]});
  for (Index i = 0; i < field.elements(); ++i) field.data()[i] = i % frame[3] < 15 ? 0.8 : 2.0;
  AdaptiveBlurOptions options;
  const auto gather = adaptive_operator<double>(frame, field, {}, options);
  options.scatter = true;
  const auto scatter = adaptive_operator<double>(frame, field, {}, options);
  const auto narrow = gaussian_kernel1d(0.8, 3);
  const auto wide = gaussian_kernel1d(2.0, 8);
  const auto scattered = test::impulse_response(*scatter, 7, 14);  // a source of sigma 0.8
  const auto gathered = test::impulse_response(*gather, 7, 14);
  EXPECT_NEAR(scattered.view().at(0, 0, 7, 16), narrow[3] * narrow[5], 1e-15);
  EXPECT_NEAR(gathered.view().at(0, 0, 7, 16), wide[8] * wide[10], 1e-15);
  EXPECT_NEAR(gathered.view().at(0, 0, 7, 12), narrow[3] * narrow[1], 1e-15);
  EXPECT_NEAR(scattered.view().at(0, 0, 7, 12), narrow[3] * narrow[1], 1e-15);
}

// b > 0: y and x grow together, so that the ellipse falls to the right as the page shows it.
TEST(GaussianOperator, DrawsAnEllipseThatFallsToTheRight) {
  const std::vector<double> logchol{0.5, 1.2, 0.0};
  const auto blur = gaussian_operator<double>({1, 1, 31, 31}, logchol);
  const auto seen = test::impulse_response(*blur, 15, 15);
  EXPECT_GT(seen.view().at(0, 0, 17, 17), 4 * seen.view().at(0, 0, 13, 17));
  EXPECT_NEAR(seen.view().at(0, 0, 17, 17), seen.view().at(0, 0, 13, 13), 1e-15);
  const std::vector<double> sigmas{0.5, 3.0};
  const auto flat =
      test::impulse_response(*gaussian_operator<double>({1, 1, 31, 31}, sigmas), 15, 15);
  EXPECT_GT(flat.view().at(0, 0, 15, 19), 100 * flat.view().at(0, 0, 19, 15));
}

TEST(GaussianOperator, TakesTheRadiusThatIsGiven) {
  BlurOptions options;
  options.radius = {2, 3};
  const std::vector<double> sigma{5.0};
  const auto blur = gaussian_operator<double>({1, 1, 12, 12}, sigma, {}, options);
  EXPECT_EQ(blur->margin(), (std::array<Index, 2>{2, 3}));
  EXPECT_EQ(blur->psf()->shape(), (Shape{5, 7}));
  AdaptiveBlurOptions adaptive;
  adaptive.radius = {2, 3};
  const auto field = test::constant_image<double>({1, 1, 12, 12}, 5.0);
  const auto map = adaptive_operator<double>({1, 1, 12, 12}, field, {}, adaptive);
  EXPECT_EQ(map->margin(), blur->margin());
}

TEST(GaussianOperator, RefusesWhatIsNoBlur) {
  const Shape frame{1, 1, 12, 20};
  const auto error = [&](const std::vector<double>& gaussian, const Border& border = {}) {
    return test::error_of([&] { gaussian_operator<double>(frame, gaussian, border); });
  };
  EXPECT_NE(error({-1.0}), "");
  EXPECT_NE(error({NAN}), "");
  EXPECT_NE(error({}), "");
  EXPECT_NE(error({1, 2, 3, 4}), "");
  EXPECT_EQ(error({5.3}),
            "blur: expected a blur of radius at most 20, the image's longer side, got 21");
  EXPECT_EQ(error({5.3}, {false, Mode::reflect}), "");
  const auto field_error = [&](const Image<double>& field) {
    return test::error_of([&] { adaptive_operator<double>(frame, field); });
  };
  EXPECT_NE(field_error(test::constant_image<double>({1, 1, 12, 21}, 1.0)), "");
  EXPECT_NE(field_error(test::constant_image<double>(frame, 0.0)), "");
  EXPECT_NE(field_error(test::constant_image<double>(frame, NAN)), "");
  EXPECT_EQ(field_error(test::constant_image<double>(frame, 1.0)), "");
}

}  // namespace
}  // namespace blurfield
