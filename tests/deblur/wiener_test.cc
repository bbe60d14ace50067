// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/wiener.h"

#include <gmock/gmock.h>

#include <numbers>

#include "blurfield/deblur/psf.h"
#include "blurfield/io/picture.h"
#include "blurfield/optim/conjugate_gradient.h"
#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

using ::testing::HasSubstr;

template <class T>
class Wiener : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Wiener, Types);

constexpr Border kExtend{true, Mode::reflect};
constexpr Border kWrap{false, Mode::wrap};

WienerOptions given(double lambda, bool gradient = true) {
  WienerOptions options;
  options.lambda = lambda;
  options.gradient = gradient;
  return options;
}

// A^T A x + strength (x or D^T D x), differences taken periodically.
Image<double> normal_product(const BlurOperator<double>& blur, const Image<double>& x,
                             double strength, bool gradient) {
  Image<double> product = test::adjoint(blur, test::forward(blur, x));
  const View<const double> from = x;
  const View<double> to = product;
  const Index height = from.height();
  const Index width = from.width();
  for (Index n = 0; n < from.batch(); ++n) {
    for (Index c = 0; c < from.channels(); ++c) {
      for (Index y = 0; y < height; ++y) {
        for (Index i = 0; i < width; ++i) {
          const double here = from.at(n, c, y, i);
          const double around =
              from.at(n, c, (y + 1) % height, i) + from.at(n, c, (y + height - 1) % height, i) +
              from.at(n, c, y, (i + 1) % width) + from.at(n, c, y, (i + width - 1) % width);
          to.at(n, c, y, i) += strength * (gradient ? 4 * here - around : here);
        }
      }
    }
  }
  return product;
}

TEST(Tikhonov, SolvesItsNormalEquations) {
  for (const Shape& frame : {Shape{1, 1, 24, 30}, Shape{2, 3, 17, 23}, Shape{1, 2, 31, 7}}) {
    for (bool gradient : {true, false}) {
      SCOPED_TRACE(message(frame.text(), ", gradient ", gradient));
      const auto blur = psf_operator<double>(frame, test::lopsided_psf(5, 7), kWrap);
      const Image<double> y = test::random_image<double>(frame, 4);
      const double noise = 0.3;
      const double lambda = 0.7;
      const auto result = tikhonov<double>(*blur, y, noise, given(lambda, gradient));
      EXPECT_DOUBLE_EQ(result.lambda, lambda);
      const double strength = lambda * noise * noise;
      const Image<double> right = test::adjoint(*blur, y);
      EXPECT_LE(test::distance(normal_product(*blur, result.image, strength, gradient), right),
                1e-10);
      Image<double> x(frame);
      const auto size = static_cast<std::size_t>(x.elements());
      ConjugateGradientOptions options;
      options.tolerance = 1e-12;
      conjugate_gradient<double>(
          [&](std::span<const double> v, std::span<double> product) {
            const Image<double> of(View<const double>(v.data(), frame));
            const Image<double> got = normal_product(*blur, of, strength, gradient);
            std::copy_n(got.data(), size, product.data());
          },
          {right.data(), size}, {x.data(), size}, options);
      EXPECT_LE(test::distance(result.image, x), 1e-9);
    }
  }
}

// Where nothing is blurred and little is expected of the scene, y comes back.
TYPED_TEST(Wiener, ReturnsAnImageThatIsSharp) {
  using T = TypeParam;
  const Image<double> point = test::constant_image<double>({1, 1}, 1.0);
  for (const Shape& frame :
       {Shape{1, 1, 1, 37}, Shape{1, 1, 41, 1}, Shape{1, 1, 1, 1}, Shape{2, 3, 19, 26}}) {
    for (const Border& border : test::all_borders()) {
      SCOPED_TRACE(frame.text() + test::border_text(border));
      const auto blur = psf_operator<T>(frame, point, border);
      const Image<T> y = test::random_image<T>(frame, 4);
      const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
      EXPECT_LE(test::distance(tikhonov<T>(*blur, y, 1.0, given(0.0)).image, y), tolerance);
      EXPECT_LE(test::distance(wiener<T>(*blur, y, 1e-9).image, y), tolerance);
    }
  }
}

// Odd sizes, rows and columns: waves of whole periods come back from their blur.
TYPED_TEST(Wiener, UndoesABlur) {
  using T = TypeParam;
  for (const Shape& frame : {Shape{1, 1, 1, 91}, Shape{1, 1, 75, 1}, Shape{1, 3, 61, 53}}) {
    SCOPED_TRACE(frame.text());
    const Index height = std::min<Index>(frame[2], 5);
    const Index width = std::min<Index>(frame[3], 5);
    const auto blur = psf_operator<T>(frame, test::lopsided_psf(height, width), kWrap);
    Image<T> scene(frame);
    const auto wave = [](double periods, Index i, Index size) {
      const double turn = periods * static_cast<double>(i) / static_cast<double>(size);
      return std::cos(2 * std::numbers::pi * turn);
    };
    for (Index i = 0; i < scene.elements(); ++i) {
      scene.data()[i] = static_cast<T>(wave(6, i % frame[3], frame[3]) +
                                       wave(4, i / frame[3] % frame[2], frame[2]));
    }
    const Image<T> y = test::forward(*blur, scene);
    const double blurred = test::distance(y, scene);
    EXPECT_LE(test::distance(wiener<T>(*blur, y, 1e-4).image, scene), 0.01 * blurred);
    EXPECT_LE(test::distance(tikhonov<T>(*blur, y, 1e-4, given(1.0)).image, scene), 0.01 * blurred);
  }
}

// A crop of a photograph and what lies around it, grey.
template <class T>
Image<T> photograph(const Shape& scene) {
  const auto picture =
      io::load_picture<T>(std::string(BLURFIELD_EXAMPLE_IMAGES) + "/astronaut.png");
  const View<const T> from = picture.pixels;
  Image<T> crop(scene);
  for (Index y = 0; y < scene[2]; ++y) {
    for (Index x = 0; x < scene[3]; ++x) {
      crop.view().at(0, 0, y, x) =
          (from.at(0, 0, 20 + y, 120 + x) + from.at(0, 1, 20 + y, 120 + x) +
           from.at(0, 2, 20 + y, 120 + x)) /
          T{3};
    }
  }
  return crop;
}

template <class T>
Image<T> noisy(const BlurOperator<T>& blur, const Image<T>& scene, double noise) {
  Image<T> y = test::forward(blur, scene);
  Random random(1);
  for (Index i = 0; i < y.elements(); ++i) {
    y.data()[i] += static_cast<T>(noise * random.normal());
  }
  return y;
}

// The root of the mean squared error outside a border and within it.
struct Errors {
  double inside = 0.0;
  double edge = 0.0;
};

template <class T>
Errors errors(const Image<T>& image, const View<const T>& truth, Index border) {
  double squares[2] = {};
  double counts[2] = {};
  for (Index y = 0; y < truth.height(); ++y) {
    for (Index x = 0; x < truth.width(); ++x) {
      const bool edge = std::min({y, x, truth.height() - 1 - y, truth.width() - 1 - x}) < border;
      const double d = static_cast<double>(image.view().at(0, 0, y, x)) -
                       static_cast<double>(truth.at(0, 0, y, x));
      squares[edge] += d * d;
      counts[edge] += 1;
    }
  }
  return {std::sqrt(squares[0] / counts[0]), std::sqrt(squares[1] / counts[1])};
}

TYPED_TEST(Wiener, ChoosesLambdaNearTheBest) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 171, 203}, gaussian_psf(1.8), kExtend);
  const Image<T> scene = photograph<T>(blur->scene());
  const View<const T> truth = blur->visible(scene.view());
  for (double noise : {0.005, 0.02}) {
    const Image<T> y = noisy(*blur, scene, noise);
    const auto error = [&](const Image<T>& image) { return errors(image, truth, 0).inside; };
    const auto chosen = tikhonov<T>(*blur, y, noise);
    double best = INFINITY;
    for (double lambda = chosen.lambda / 200; lambda < 200 * chosen.lambda; lambda *= 1.3) {
      best = std::min(best, error(tikhonov<T>(*blur, y, noise, given(lambda)).image));
    }
    EXPECT_LE(error(chosen.image), 1.03 * best);  // 0.25 dB
    EXPECT_LE(error(wiener<T>(*blur, y, noise).image), 1.03 * best);
    EXPECT_LE(error(chosen.image), 0.9 * error(y));
  }
}

// The errors near the border are not much larger than elsewhere, though the crop's opposite sides
// differ; those of plain periodicity are.
TYPED_TEST(Wiener, DoesNotRingAtTheBorder) {
  using T = TypeParam;
  const double noise = 0.005;
  const auto blur = psf_operator<T>({1, 1, 170, 160}, gaussian_psf(2.0), kExtend);
  const Image<T> scene = photograph<T>(blur->scene());
  const View<const T> truth = blur->visible(scene.view());
  const Image<T> y = noisy(*blur, scene, noise);
  for (bool chosen : {true, false}) {
    const auto restored = [&](const BlurOperator<T>& by) {
      return chosen ? wiener<T>(by, y, noise).image : tikhonov<T>(by, y, noise).image;
    };
    const Errors ours = errors(restored(*blur), truth, 8);
    EXPECT_LE(ours.edge, 1.5 * ours.inside);
    const auto periodic = psf_operator<T>(blur->frame(), gaussian_psf(2.0), kWrap);
    EXPECT_LE(ours.edge, 0.5 * errors(restored(*periodic), truth, 8).edge);
  }
}

TYPED_TEST(Wiener, GivesNumbersForAnyImage) {
  using T = TypeParam;
  for (double scale : {0.0, 1e-30, 1e30}) {
    const auto blur = psf_operator<T>({1, 2, 20, 17}, gaussian_psf(1.0), kExtend);
    Image<T> y = test::random_field<T>(blur->frame(), 0.0, scale, 3);
    y.data()[11] = static_cast<T>(scale);
    for (double noise : {1e-35, 1.0, 1e25}) {
      for (const Image<T>& image :
           {wiener<T>(*blur, y, noise).image, tikhonov<T>(*blur, y, noise).image}) {
        EXPECT_TRUE(std::all_of(image.data(), image.data() + image.elements(),
                                [](T v) { return std::isfinite(v); }))
            << scale << ", " << noise;
      }
    }
  }
}

TYPED_TEST(Wiener, GivesTheSameForAnyNumberOfThreads) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 3, 90, 101}, test::lopsided_psf(5, 7), kExtend);
  const Image<T> y = test::random_image<T>(blur->frame(), 4);
  std::vector<Image<T>> alone;
  for (int threads : {1, 2, 5}) {
    WienerOptions options;
    options.threads = threads;
    std::vector<Image<T>> now;
    now.push_back(wiener<T>(*blur, y, 0.1, options).image);
    now.push_back(tikhonov<T>(*blur, y, 0.1, options).image);
    if (threads == 1)
      alone = std::move(now);
    else
      EXPECT_TRUE(test::same_bits(now[0], alone[0]) && test::same_bits(now[1], alone[1]));
  }
}

TYPED_TEST(Wiener, RefusesBadInput) {
  using T = TypeParam;
  const Shape frame{1, 1, 12, 13};
  const auto blur = psf_operator<T>(frame, gaussian_psf(0.5), kExtend);
  const auto varying = adaptive_operator<T>(frame, test::random_field<T>(frame, 1.0, 2.0, 3));
  const Image<T> y = test::constant_image<T>(frame, 1.0);
  const Image<T> small = test::constant_image<T>({1, 1, 12, 12}, 1.0);
  Image<T> bad(y.view());
  bad.data()[5] = static_cast<T>(NAN);
  const auto error = [](auto f) { return test::error_of(f); };
  EXPECT_THAT(error([&] { wiener<T>(*varying, y, 1.0); }),
              HasSubstr("wiener: expected a blur that is the same everywhere"));
  EXPECT_THAT(error([&] { tikhonov<T>(*blur, small, 1.0); }), HasSubstr("tikhonov: expected"));
  EXPECT_THAT(error([&] { wiener<T>(*blur, bad, 1.0); }), HasSubstr("nan"));
  EXPECT_THAT(error([&] { wiener<T>(*blur, y, 0.0); }),
              HasSubstr("wiener: expected a finite noise > 0, got 0"));
  EXPECT_THAT(error([&] { tikhonov<T>(*blur, y, 1.0, given(-1)); }),
              HasSubstr("tikhonov: expected a finite lambda >= 0, got -1"));
}

}  // namespace
}  // namespace blurfield
