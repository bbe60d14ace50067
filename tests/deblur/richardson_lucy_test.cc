// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/richardson_lucy.h"

#include <gmock/gmock.h>

#include "blurfield/deblur/psf.h"
#include "tests/reference/richardson_lucy_reference.h"
#include "tests/support/blur_operators.h"
#include "tests/support/npz.h"

namespace blurfield {
namespace {

using ::testing::HasSubstr;

template <class T>
class RichardsonLucy : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RichardsonLucy, Types);

constexpr Border kExtend{true, Mode::reflect};
constexpr Border kZero{false, Mode::constant};

template <class T>
RichardsonLucyOptions<T> plain(int iterations) {
  RichardsonLucyOptions<T> options;
  options.max_iterations = iterations;
  options.accelerate = false;
  return options;
}

// A bright bar, a ramp and stars on a dark ground.
Image<double> sky(const Shape& shape) {
  Image<double> scene(shape);
  const View<double> at = scene;
  for (Index n = 0; n < shape[0]; ++n) {
    for (Index c = 0; c < shape[1]; ++c) {
      for (Index y = 0; y < shape[2]; ++y) {
        for (Index x = 0; x < shape[3]; ++x) {
          const bool bar = y > shape[2] / 3 && y < shape[2] / 2;
          at.at(n, c, y, x) = 0.1 + (bar ? 1.0 : 0.01 * static_cast<double>(x + c)) +
                              ((7 * y + 3 * x) % 101 == 0 ? 5.0 : 0.0);
        }
      }
    }
  }
  return scene;
}

// Its blur with Poisson-like noise of `counts` photons per unit.
template <class T>
Image<T> recorded(const BlurOperator<T>& blur, double counts, std::uint64_t seed = 1) {
  Image<T> y = test::forward(blur, test::converted<T>(sky(blur.scene())));
  Random random(seed);
  for (Index i = 0; i < y.elements(); ++i) {
    const auto mean = static_cast<double>(y.data()[i]);
    y.data()[i] = static_cast<T>(std::max(0.0, mean + std::sqrt(mean / counts) * random.normal()));
  }
  return y;
}

template <class T>
double log_likelihood(const BlurOperator<T>& blur, const Image<T>& y, const Image<T>& x) {
  const Image<T> u = test::forward(blur, x);
  double sum = 0.0;
  for (Index i = 0; i < u.elements(); ++i) {
    const auto mean = static_cast<double>(u.data()[i]);
    const auto k = static_cast<double>(y.data()[i]);
    sum += (k > 0 ? k * std::log(mean) : 0.0) - mean;
  }
  return sum;
}

template <class T>
double sum_of(const Image<T>& image) {
  double sum = 0.0;
  for (Index i = 0; i < image.elements(); ++i) sum += static_cast<double>(image.data()[i]);
  return sum;
}

TYPED_TEST(RichardsonLucy, EqualsScikitImage) {
  using T = TypeParam;
  const test::Npz data("richardson_lucy.npz");
  const Image<T> y = data["skimage/image"].template image<T>();
  const test::Array& psf = data["skimage/psf"];
  const auto blur =
      psf_operator<T>(y.shape(), psf.image<double>({psf.shape[0], psf.shape[1]}), kZero);
  for (int iterations : {1, 10, 40}) {
    Image<T> x = test::constant_image<T>(y.shape(), 0.5);
    auto options = plain<T>(iterations);
    options.sensitivity = false;
    richardson_lucy<T>(*blur, y, x, options);
    const auto expected = data[message("skimage/iterations", iterations)].template image<double>();
    EXPECT_LE(test::distance(x, expected), sizeof(T) == 8 ? 1e-9 : 1e-4) << iterations;
  }
}

TYPED_TEST(RichardsonLucy, EqualsItsSlowTwin) {
  using T = TypeParam;
  for (bool extend : {true, false}) {
    for (bool sensitivity : {true, false}) {
      SCOPED_TRACE(message("extend ", extend, ", sensitivity ", sensitivity));
      const Shape frame{2, 3, 14, 17};
      const auto blur = psf_operator<T>(frame, test::lopsided_psf(5, 7), extend ? kExtend : kZero);
      const Image<T> y = test::random_field<T>(frame, 0.5, 3.0, 5);
      Image<T> weight = test::random_field<T>(frame, 0.5, 2.0, 6);
      weight.data()[40] = weight.data()[41] = T{0};
      Image<T> x = test::random_field<T>(blur->scene(), 0.5, 2.0, 7);
      test::RichardsonLucyProblem problem{test::converted<double>(y),
                                          Image<double>(blur->psf()->view()),
                                          test::converted<double>(weight),
                                          extend,
                                          0.3,
                                          0.2,
                                          sensitivity};
      auto options = plain<T>(6);
      options.offset = problem.offset;
      options.background = problem.background;
      options.sensitivity = sensitivity;
      const Image<double> expected =
          test::richardson_lucy_reference(problem, test::converted<double>(x), 6);
      Image<T> hole(y.view());
      hole.data()[40] = static_cast<T>(NAN);  // of weight 0
      const auto result = richardson_lucy<T>(*blur, hole, x, options, weight);
      EXPECT_LE(test::distance(x, expected), sizeof(T) == 8 ? 1e-11 : 2e-4);
      const Image<double> u = test::forward_reference(problem, expected);
      double square = 0.0;
      for (Index i = 0; i < u.elements(); ++i) {
        const double r = u.data()[i] + 0.5 - problem.y.data()[i];
        square += problem.weight.data()[i] > 0 ? r * r : 0.0;
      }
      EXPECT_NEAR(result.value, square / static_cast<double>(u.elements() - 2), 1e-4);
    }
  }
}

TEST(RichardsonLucyLikelihood, NeverFallsWithoutAcceleration) {
  for (const auto& model : test::all_models<double>({1, 1, 40, 36}, kExtend)) {
    SCOPED_TRACE(model.name);
    const Image<double> y = recorded(*model.blur, 50.0);
    Image<double> x = test::constant_image<double>(model.blur->scene(), 1.0);
    double before = -INFINITY;
    auto options = plain<double>(30);
    options.callback = [&](const Iterate<double>& now) {
      Image<double> at(View<const double>(now.x.data(), model.blur->scene()));
      const double value = log_likelihood(*model.blur, y, at);
      EXPECT_GE(value, before - 1e-9 * std::abs(before)) << now.iteration;
      before = value;
      return true;
    };
    richardson_lucy<double>(*model.blur, y, x, options);
  }
}

TYPED_TEST(RichardsonLucy, KeepsTheFlux) {
  using T = TypeParam;
  for (const auto& model : test::all_models<T>({1, 1, 24, 26}, kExtend)) {
    SCOPED_TRACE(model.name);
    const Image<T> y = recorded(*model.blur, 50.0);
    Image<T> x = test::constant_image<T>(model.blur->scene(), 1.0);
    richardson_lucy<T>(*model.blur, y, x, plain<T>(10));
    const double flux = sum_of(test::forward(*model.blur, x));
    EXPECT_NEAR(flux / sum_of(y), 1.0, sizeof(T) == 8 ? 1e-9 : 1e-3);
  }
}

TYPED_TEST(RichardsonLucy, KeepsAFlatImageFlat) {
  using T = TypeParam;
  for (const Border& border : {kExtend, Border{false, Mode::reflect}}) {
    const auto blur = psf_operator<T>({1, 1, 30, 33}, test::lopsided_psf(7, 9), border);
    const Image<T> y = test::constant_image<T>(blur->frame(), 2.5);
    for (bool accelerate : {false, true}) {
      for (double tv : {0.0, 0.01}) {
        for (double start : {2.5, 0.7}) {
          Image<T> x = test::constant_image<T>(blur->scene(), start);
          RichardsonLucyOptions<T> options = plain<T>(50);
          options.accelerate = accelerate;
          options.tv = tv;
          richardson_lucy<T>(*blur, y, x, options);
          EXPECT_LE(test::distance(x, test::constant_image<T>(blur->scene(), 2.5)),
                    sizeof(T) == 8 ? 1e-12 : 1e-4)
              << test::border_text(border) << ", " << accelerate << ", " << tv << ", " << start;
        }
      }
    }
  }
}

TYPED_TEST(RichardsonLucy, GivesNumbersForAnyImage) {
  using T = TypeParam;
  const Shape frame{1, 1, 20, 23};
  for (const Border& border : {kExtend, kZero, Border{false, Mode::reflect}}) {
    for (const bool wide : {false, true}) {
      const auto blur = psf_operator<T>(frame, gaussian_psf(wide ? 2.0 : 0.6), border);
      for (double scale : {1e-30, 1.0, 1e20}) {
        for (double start : {1e-30, 1.0, 1e20}) {
          for (int kind = 0; kind < 4; ++kind) {
            SCOPED_TRACE(message(test::border_text(border), ", wide ", wide, ", scale ", scale,
                                 ", start ", start, ", kind ", kind));
            Image<T> y(frame);  // kind 0: dark
            if (kind == 1) y.data()[frame.elements() / 2] = static_cast<T>(scale);
            if (kind == 2) y = test::random_field<T>(frame, 0.0, scale, 3);
            if (kind == 3) {
              for (Index i = 0; i < frame.elements(); i += 3) y.data()[i] = static_cast<T>(scale);
            }
            Image<T> x = test::constant_image<T>(blur->scene(), start);
            RichardsonLucyOptions<T> options;
            options.max_iterations = 30;
            options.tv = 0.01;
            const auto result = richardson_lucy<T>(*blur, y, x, options);
            EXPECT_TRUE(std::isfinite(result.value));
            EXPECT_TRUE(std::all_of(x.data(), x.data() + x.elements(),
                                    [](T v) { return std::isfinite(v) && v >= 0; }));
            if (kind == 2) {
              EXPECT_NEAR(sum_of(test::forward(*blur, x)) / sum_of(y), 1.0, 0.05);
            }
          }
        }
      }
    }
  }
}

TYPED_TEST(RichardsonLucy, AcceleratesByTwoAndAHalf) {
  using T = TypeParam;
  for (const Border& border : {kExtend, kZero}) {
    const auto blur = psf_operator<T>({1, 1, 60, 64}, gaussian_psf(1.5), border);
    const Image<T> y = recorded(*blur, 1000.0);
    Image<T> slow = test::constant_image<T>(blur->scene(), 0.5);
    Image<T> fast(slow.view());
    richardson_lucy<T>(*blur, y, slow, plain<T>(100));
    RichardsonLucyOptions<T> options;
    options.max_iterations = 40;
    options.callback = [](const Iterate<T>& now) {
      EXPECT_GT(*std::ranges::min_element(now.x), 0) << now.iteration;  // 0 would stay 0
      return true;
    };
    richardson_lucy<T>(*blur, y, fast, options);
    EXPECT_GE(log_likelihood(*blur, y, fast), log_likelihood(*blur, y, slow));
  }
}

TYPED_TEST(RichardsonLucy, DenoisesByTotalVariation) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 64, 60}, gaussian_psf(1.2), kExtend);
  Image<T> truth(blur->scene());
  for (Index y = 0; y < truth.shape()[2]; ++y) {
    for (Index x = 0; x < truth.shape()[3]; ++x) {
      truth.view().at(0, 0, y, x) = static_cast<T>(20 + (y / 16 + x / 16) % 2 * 60);
    }
  }
  Image<T> y = test::forward(*blur, truth);
  Random random(2);
  for (Index i = 0; i < y.elements(); ++i) {
    y.data()[i] += static_cast<T>(std::sqrt(static_cast<double>(y.data()[i])) * random.normal());
  }
  double before = 0.0;
  for (double tv : {0.0, 0.01}) {
    Image<T> x = test::constant_image<T>(blur->scene(), 50.0);
    auto options = plain<T>(100);
    options.tv = tv;
    richardson_lucy<T>(*blur, y, x, options);
    const auto shown = [&](const Image<T>& of) { return Image<T>(blur->visible(of.view())); };
    const Image<T> got = shown(x);
    const Image<T> sharp = shown(truth);
    double error = 0.0;
    for (Index i = 0; i < got.elements(); ++i) {
      error +=
          std::pow(static_cast<double>(got.data()[i]) - static_cast<double>(sharp.data()[i]), 2);
    }
    if (tv > 0) {
      EXPECT_LE(error, 0.25 * before);
    }
    before = error;
  }
}

TYPED_TEST(RichardsonLucy, StopsByEachRule) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 40, 44}, gaussian_psf(1.5), kExtend);
  Image<T> y = test::forward(*blur, test::converted<T>(sky(blur->scene())));
  Random random(3);
  for (Index i = 0; i < y.elements(); ++i) {
    y.data()[i] += static_cast<T>(0.02 * random.normal());
  }
  RichardsonLucyOptions<T> options;
  options.max_iterations = 500;
  std::vector<double> values;
  const auto run = [&](Image<T>& x) {
    values.clear();
    options.callback = [&](const Iterate<T>& now) {
      EXPECT_EQ(now.iteration, static_cast<int>(values.size()));
      values.push_back(now.value);
      return true;
    };
    return richardson_lucy<T>(*blur, y, x, options);
  };
  const auto start = [&] { return test::constant_image<T>(blur->scene(), 0.5); };
  Image<T> x = start();
  options.discrepancy = 0.02 * 0.02;
  MinimiseResult result = run(x);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_LE(result.value, options.discrepancy);
  EXPECT_GT(values[values.size() - 2], options.discrepancy);
  EXPECT_EQ(result.iterations + 1, static_cast<int>(values.size()));
  options.discrepancy = 0.0;
  options.change_tolerance = 0.01;
  x = start();
  result = run(x);
  EXPECT_EQ(result.stop, Stop::change);
  EXPECT_LT(result.iterations, 300);
  options.change_tolerance = 0.0;
  options.max_iterations = 7;
  x = start();
  result = run(x);
  EXPECT_EQ(result.stop, Stop::iterations);
  EXPECT_EQ(result.iterations, 7);
  options.max_iterations = 1 << 30;
  options.max_seconds = 0.05;
  x = start();
  result = run(x);
  EXPECT_EQ(result.stop, Stop::time);
  EXPECT_GE(result.seconds, 0.05);
  options.max_seconds = INFINITY;
  options.callback = [](const Iterate<T>& now) { return now.iteration < 3; };
  x = start();
  result = richardson_lucy<T>(*blur, y, x, options);
  EXPECT_EQ(result.stop, Stop::cancelled);
  EXPECT_EQ(result.iterations, 3);
}

TYPED_TEST(RichardsonLucy, GivesTheSameForAnyNumberOfThreads) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 2, 150, 170}, test::lopsided_psf(5, 5), kExtend);
  const Image<T> y = recorded(*blur, 100.0);
  Image<T> alone;
  for (int threads : {1, 2, 5}) {
    Image<T> x = test::constant_image<T>(blur->scene(), 1.0);
    RichardsonLucyOptions<T> options;
    options.max_iterations = 6;
    options.tv = 0.01;
    options.threads = threads;
    richardson_lucy<T>(*blur, y, x, options);
    if (threads == 1) alone = Image<T>(x.view());
    EXPECT_TRUE(test::same_bits(x, alone)) << threads;
  }
}

TYPED_TEST(RichardsonLucy, RefusesBadInput) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 9, 8}, gaussian_psf(0.5), kExtend);
  const auto error = [&](auto change) {
    Image<T> y = test::constant_image<T>(blur->frame(), 1.0);
    Image<T> x = test::constant_image<T>(blur->scene(), 1.0);
    Image<T> weight = test::constant_image<T>(blur->frame(), 1.0);
    RichardsonLucyOptions<T> options;
    change(y, x, weight, options);
    return test::error_of([&] { richardson_lucy<T>(*blur, y, x, options, weight); });
  };
  EXPECT_EQ(error([](auto&, auto&, auto&, auto&) {}), "");
  EXPECT_THAT(error([](auto&, auto&, auto&, auto& o) { o.tv = 0.3; }),
              HasSubstr("richardson_lucy: expected a tv of 0..0.25, got 0.3"));
  EXPECT_THAT(error([](auto&, auto&, auto&, auto& o) { o.background = -1; }),
              HasSubstr("background >= 0, got -1"));
  EXPECT_THAT(error([](auto&, auto&, auto&, auto& o) { o.offset = NAN; }), HasSubstr("offset"));
  EXPECT_THAT(error([](auto&, auto&, auto&, auto& o) { o.max_iterations = -1; }),
              HasSubstr("max_iterations >= 0, got -1"));
  EXPECT_THAT(error([](auto&, auto&, auto&, auto& o) { o.discrepancy = NAN; }),
              HasSubstr("discrepancy"));
  EXPECT_THAT(error([](auto&, auto& x, auto&, auto&) { x.data()[3] = T{-1}; }),
              HasSubstr("scene of pixels >= 0, one of them > 0, got -1 to 1"));
  EXPECT_THAT(
      error([](auto&, auto& x, auto&, auto&) { std::fill_n(x.data(), x.elements(), T{0}); }),
      HasSubstr("got 0 to 0"));
  EXPECT_THAT(error([](auto&, auto& x, auto&, auto&) {
                x = Image<T>({1, 1, 9, 8});
              }),
              HasSubstr("scene"));
  EXPECT_THAT(error([](auto& y, auto&, auto&, auto&) { y.data()[1] = static_cast<T>(NAN); }),
              HasSubstr("finite pixels and weights >= 0, got 1 others"));
  EXPECT_THAT(error([](auto&, auto&, auto& w, auto&) { w.data()[1] = T{-1}; }),
              HasSubstr("finite pixels and weights >= 0, got 1 others"));
  EXPECT_THAT(error([](auto&, auto&, auto& w, auto&) {
                w = Image<T>({1, 1, 9, 8});
              }),
              HasSubstr("a pixel of weight > 0, got none"));
  EXPECT_THAT(error([](auto&, auto&, auto& w, auto&) {
                w = Image<T>({1, 1, 9, 7});
              }),
              HasSubstr("expected a weight"));
}

}  // namespace
}  // namespace blurfield
