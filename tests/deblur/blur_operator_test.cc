// SPDX-License-Identifier: BSD-3-Clause
// What every blur operator must satisfy, whatever its kind and its border.
#include "blurfield/deblur/blur_operator.h"

#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

template <class T>
class BlurOperators : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(BlurOperators, Types);

TYPED_TEST(BlurOperators, HaveExactAdjointsWithEveryBorder) {
  using T = TypeParam;
  for (const Border& border : test::all_borders()) {
    for (const auto& [name, blur] : test::all_models<T>({2, 3, 18, 22}, border)) {
      SCOPED_TRACE(name);
      test::expect_exact_adjoint(*blur);
    }
  }
}

// Margins and radii as large as the frame.
TYPED_TEST(BlurOperators, HaveExactAdjointsOnSmallFrames) {
  using T = TypeParam;
  const std::vector<double> sigma{2.4};  // of radius 10
  for (const Border& border : test::all_borders()) {
    SCOPED_TRACE(test::border_text(border));
    test::expect_exact_adjoint(*psf_operator<T>({1, 1, 5, 7}, test::lopsided_psf(5, 7), border));
    test::expect_exact_adjoint(*psf_operator<T>({1, 1, 1, 7}, test::lopsided_psf(1, 6), border));
    test::expect_exact_adjoint(*gaussian_operator<T>({1, 1, 3, 10}, sigma, border));
    for (GridOrder order : {GridOrder::mask_first, GridOrder::conv_first}) {
      const auto psfs = test::random_field<double>({5, 7, 5, 7}, 0.1, 1.0, 2);
      test::expect_exact_adjoint(*psf_grid_operator<T>({1, 1, 5, 7}, psfs, order, border));
    }
  }
}

TYPED_TEST(BlurOperators, DoNotDependOnTheNumberOfThreads) {
  using T = TypeParam;
  for (const Border& border : {Border{true, Mode::reflect}, Border{false, Mode::mirror}}) {
    for (const auto& [name, blur] : test::all_models<T>({1, 1, 96, 90}, border)) {
      SCOPED_TRACE(name);
      const auto x = test::random_image<T>(blur->scene(), 1);
      const auto y = test::random_image<T>(blur->frame(), 2);
      const Image<T> ax = test::forward(*blur, x, 1);
      const Image<T> aty = test::adjoint(*blur, y, 1);
      for (int threads : {2, 5}) {
        EXPECT_TRUE(test::same_bits(test::forward(*blur, x, threads), ax)) << threads;
        EXPECT_TRUE(test::same_bits(test::adjoint(*blur, y, threads), aty)) << threads;
      }
    }
  }
}

// Where the norm is not reached by the power method, it is not exceeded either.
TYPED_TEST(BlurOperators, AreBoundedByNormBound) {
  using T = TypeParam;
  for (const Border& border : test::all_borders()) {
    for (const auto& [name, blur] : test::all_models<T>({1, 1, 20, 24}, border)) {
      SCOPED_TRACE(name);
      EXPECT_GE(blur->norm_bound(), test::largest_singular_value(*blur, 60));
    }
  }
}

TEST(BlurOperator, NormBoundIsTight) {
  for (Mode mode : {Mode::constant, Mode::wrap}) {
    for (const auto& [name, blur] : test::all_models<double>({1, 1, 48, 50}, {false, mode})) {
      if (name.starts_with("field") || name.starts_with("grid")) continue;
      SCOPED_TRACE(name);
      EXPECT_LE(blur->norm_bound(), 1.04 * test::largest_singular_value(*blur));
    }
  }
}

TEST(BlurOperator, ShowsTheFrameInTheScene) {
  const auto blur =
      psf_operator<double>({2, 1, 9, 12}, test::lopsided_psf(5, 7), {true, Mode::reflect});
  EXPECT_EQ(blur->scene(), (Shape{2, 1, 13, 18}));
  EXPECT_EQ(blur->margin(), (std::array<Index, 2>{2, 3}));
  Image<double> scene(blur->scene());
  const View<double> visible = blur->visible(scene.view());
  EXPECT_EQ(visible.shape, blur->frame());
  EXPECT_EQ(&visible.at(1, 0, 4, 5), &scene.view().at(1, 0, 6, 8));
  const auto plain = psf_operator<double>({2, 1, 9, 12}, test::lopsided_psf(5, 7), {false});
  EXPECT_EQ(plain->scene(), plain->frame());
  EXPECT_EQ(plain->margin(), (std::array<Index, 2>{0, 0}));
}

// A scene and a frame that are parts of larger images.
TEST(BlurOperator, TakesViewsOfAnyStride) {
  for (const Border& border : test::all_borders()) {
    for (const auto& [name, blur] : test::all_models<double>({2, 1, 12, 14}, border)) {
      SCOPED_TRACE(name);
      const auto strided = [](Image<double>& store, const Shape& shape) {
        store = Image<double>({shape[0], shape[1], shape[2] + 3, 2 * shape[3] + 1});
        View<double> view = store;
        view.shape = shape;
        view.stride[3] = 2;
        return view;
      };
      const auto x = test::random_image<double>(blur->scene(), 1);
      const auto y = test::random_image<double>(blur->frame(), 2);
      Image<double> scene_store;
      Image<double> frame_store;
      const View<double> scene = strided(scene_store, blur->scene());
      const View<double> frame = strided(frame_store, blur->frame());
      copy<double>(x, scene);
      blur->forward(scene, frame);
      EXPECT_LE(test::distance(Image<double>(View<const double>(frame)), test::forward(*blur, x)),
                1e-14);
      copy<double>(y, frame);
      blur->adjoint(frame, scene);
      EXPECT_LE(test::distance(Image<double>(View<const double>(scene)), test::adjoint(*blur, y)),
                1e-14);
    }
  }
}

TEST(BlurOperator, RefusesOtherShapesAndPixelsThatAreNotFinite) {
  for (const Border& border : {Border{true, Mode::reflect}, Border{false, Mode::nearest}}) {
    for (const auto& model : test::all_models<double>({1, 1, 12, 14}, border)) {
      SCOPED_TRACE(model.name);
      const BlurOperator<double>& blur = *model.blur;
      Image<double> scene(blur.scene());
      Image<double> frame(blur.frame());
      Image<double> other({1, 2, 12, 14});
      EXPECT_NE(test::error_of([&] { blur.forward(other, frame); }).find(scene.shape().text()),
                std::string::npos);
      EXPECT_NE(test::error_of([&] { blur.adjoint(other, scene); }).find(frame.shape().text()),
                std::string::npos);
      for (double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
        scene.view().at(0, 0, 3, 4) = bad;
        EXPECT_NE(test::error_of([&] { blur.forward(scene, frame); }).find("finite"),
                  std::string::npos);
        frame = Image<double>(blur.frame());
        frame.view().at(0, 0, 3, 4) = bad;
        EXPECT_NE(test::error_of([&] { blur.adjoint(frame, scene); }).find("finite"),
                  std::string::npos);
      }
    }
  }
}

TEST(BlurOperator, StopsWhereProgressAsksTo) {
  for (const auto& [name, blur] : test::all_models<double>({1, 1, 40, 40}, {})) {
    SCOPED_TRACE(name);
    const auto scene = test::random_image<double>(blur->scene(), 1);
    Image<double> frame(blur->frame());
    double last = 0.0;
    blur->forward(scene, frame, {1, [&](double done) {
                                   EXPECT_GE(done, last);
                                   last = done;
                                   return true;
                                 }});
    EXPECT_NEAR(last, 1.0, 1e-12);
    EXPECT_THROW(blur->forward(scene, frame, {1, [](double) { return false; }}), Cancelled);
  }
}

TEST(BlurOperator, RefusesFramesThatAreNoImages) {
  const auto psf = test::lopsided_psf(1, 1);
  EXPECT_THROW(psf_operator<double>({1, 1, 9}, psf), Error);
  EXPECT_THROW(psf_operator<double>({1, 0, 9, 9}, psf), Error);
  const std::vector<double> sigma{1.0};
  EXPECT_THROW(gaussian_operator<double>({1, 1, 9}, sigma), Error);
}

}  // namespace
}  // namespace blurfield
