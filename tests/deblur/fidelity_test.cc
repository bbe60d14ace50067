// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/fidelity.h"

#include <gmock/gmock.h>

#include <vector>

#include "tests/reference/fidelity_reference.h"
#include "tests/support/blur_operators.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

using ::testing::HasSubstr;

template <class T>
class FidelityOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(FidelityOf, Types);

std::vector<FidelityOptions> kinds() {
  return {{.kind = Fidelity::gaussian, .noise = 0.3},
          {.kind = Fidelity::huber, .noise = 0.3, .threshold = 1.1},
          {.kind = Fidelity::poisson, .gain = 0.7, .offset = 0.2, .background = 0.1},
          {.kind = Fidelity::poisson, .gain = 0.05},
          {.kind = Fidelity::norm}};
}

std::string text(const FidelityOptions& options, const Shape& shape = {}) {
  return message(fidelity_name(options.kind), " ", shape.text());
}

// A frame with counts of 0, and a prediction that is negative here and there.
template <class T>
Image<T> frame_of(const Shape& shape) {
  Image<T> y = test::random_field<T>(shape, 0.0, 3.0, 1);
  for (Index i = 0; i < y.elements(); i += 5) y.data()[i] = T{0};
  return y;
}
template <class T>
Image<T> prediction_of(const Shape& shape) {
  return test::random_field<T>(shape, -0.5, 3.0, 2);
}

// Random weights with zeros.
template <class T>
Image<T> weight_of(const Shape& shape) {
  Image<T> weight = test::random_field<T>(shape, 0.1, 2.0, 3);
  for (Index i = 0; i < weight.elements(); i += 4) weight.data()[i] = T{0};
  return weight;
}

template <class T>
View<const T> view_of(const Image<T>& image) {
  return image.empty() ? View<const T>{} : image.view();
}

const std::vector<Shape> kShapes{
    {1, 1, 1, 2}, {1, 1, 1, 23}, {1, 1, 19, 1}, {2, 3, 7, 9}, {1, 2, 37, 50}};

TYPED_TEST(FidelityOf, EqualsItsSlowTwin) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  for (const Shape& shape : kShapes) {
    const Image<T> y = frame_of<T>(shape);
    const Image<T> u = prediction_of<T>(shape);
    std::vector<Image<T>> weights(1);
    for (Index n : {Index{1}, shape[0]}) {
      for (Index c : {Index{1}, shape[1]}) {
        weights.push_back(weight_of<T>({n, c, shape[2], shape[3]}));
      }
    }
    for (const FidelityOptions& options : kinds()) {
      for (const Image<T>& weight : weights) {
        SCOPED_TRACE(text(options, shape) + ", weight " + weight.shape().text());
        const FidelityTerm<T> term(y, options, view_of(weight));
        const double expected = test::fidelity_reference(
            test::converted<double>(y), options,
            weight.empty() ? Image<double>() : test::converted<double>(weight),
            test::converted<double>(u));
        EXPECT_NEAR(term.value(u), expected, tolerance * std::abs(expected));
        Image<T> gradient(u.view());
        EXPECT_NEAR(term.gradient(gradient), expected, tolerance * std::abs(expected));
      }
    }
  }
}

TEST(FidelityDerivatives, MatchDifferences) {
  const Shape shape{2, 3, 7, 9};
  const auto y = frame_of<double>(shape);
  const auto u = prediction_of<double>(shape);
  const auto d = test::random_field<double>(shape, -1.0, 1.0, 4);
  const auto e = test::random_field<double>(shape, -1.0, 1.0, 5);
  for (const FidelityOptions& options : kinds()) {
    for (const Shape& weights : {Shape{}, Shape{1, 1, 7, 9}, Shape{2, 3, 7, 9}}) {
      SCOPED_TRACE(text(options, weights));
      const auto weight = weights.rank() == 0 ? Image<double>() : weight_of<double>(weights);
      const FidelityTerm<double> term(y, options, view_of(weight));
      const auto gradient = [&](double t) {
        Image<double> g = test::moved(u, t, d);
        term.gradient(g);
        return g;
      };
      const auto product = [&](const Image<double>& v) {
        Image<double> hv(v.view());
        term.curvature(u, hv);
        return hv;
      };
      // Short steps: no kink of huber or poisson lies within them.
      test::expect_slope([&](double t) { return term.value(test::moved(u, t, d)); },
                         test::inner(gradient(0), d), 1e-5);
      test::expect_slope([&](double t) { return test::inner(gradient(t), e); },
                         test::inner(product(d), e), 1e-5);
      EXPECT_NEAR(test::inner(product(d), e), test::inner(product(e), d),
                  1e-12 * test::norm(product(d)) * test::norm(e));
    }
  }
}

TEST(FidelityDerivatives, OfANormAtItsLeastAreZero) {
  const auto y = frame_of<double>({1, 1, 5, 6});
  const FidelityTerm<double> term(y, {.kind = Fidelity::norm});
  Image<double> u(y.view());
  EXPECT_EQ(term.gradient(u), 0.0);
  EXPECT_EQ(test::norm(u), 0.0);
  Image<double> v = prediction_of<double>(y.shape());
  term.curvature(y, v);
  EXPECT_EQ(test::norm(v), 0.0);
}

TEST(FidelityCurvature, IsBounded) {
  const Shape shape{1, 2, 8, 9};
  const auto y = frame_of<double>(shape);
  const auto weight = weight_of<double>(shape);
  for (const FidelityOptions& options : kinds()) {
    SCOPED_TRACE(text(options));
    const FidelityTerm<double> term(y, options, weight);
    const double bound = term.curvature_bound();
    if (options.kind == Fidelity::norm) {
      EXPECT_EQ(bound, INFINITY);
      continue;
    }
    // The Hessian is diagonal; its largest element anywhere is the bound.
    double largest = 0.0;
    for (double shift = -6; shift <= 6; shift += 0.125) {
      const auto u = test::moved(y, shift, test::constant_image<double>(shape, 1.0));
      auto diagonal = test::constant_image<double>(shape, 1.0);
      term.curvature(u, diagonal);
      EXPECT_GE(*std::min_element(diagonal.data(), diagonal.data() + diagonal.elements()), 0.0);
      largest = std::max(largest,
                         *std::max_element(diagonal.data(), diagonal.data() + diagonal.elements()));
    }
    EXPECT_LE(largest, bound * (1 + 1e-12));
    EXPECT_GE(largest, bound * (1 - 1e-12));
  }
}

TEST(FidelityPoisson, GoesOnSmoothlyBelowASmallMean) {
  for (bool zeros : {false, true}) {
    for (double background : {0.0, 0.3}) {
      const Shape shape{1, 1, 6, 7};
      const auto y = zeros ? frame_of<double>(shape) : test::random_field<double>(shape, 1, 3, 1);
      const FidelityOptions options{
          .kind = Fidelity::poisson, .gain = 0.6, .offset = 0.1, .background = background};
      const FidelityTerm<double> term(y, options);
      const double joint = options.gain * test::least_mean(y, options, {}) - background;
      const auto at = [&](double u) { return test::constant_image<double>(shape, u); };
      constexpr double kStep = 1e-6;
      Image<double> low = at(joint - kStep);
      Image<double> high = at(joint + kStep);
      Image<double> bend = at(1);
      term.curvature(low, bend);
      const double below = term.gradient(low);
      const double above = term.gradient(high);
      const double slope = (test::inner(low, at(1)) + test::inner(high, at(1))) / 2;
      EXPECT_NEAR((above - below) / (2 * kStep), slope, 1e-6 * std::abs(slope));
      if (zeros) continue;  // their parabola is steeper
      EXPECT_NEAR((test::inner(high, at(1)) - test::inner(low, at(1))) / (2 * kStep),
                  test::inner(bend, at(1)), 1e-3 * test::inner(bend, at(1)));
    }
  }
}

TEST(FidelityPoisson, IsLeastWhereThePredictionHasTheCounts) {
  const auto y = frame_of<double>({1, 1, 6, 7});  // below the offset here and there
  for (double background : {0.0, 0.4}) {
    const FidelityOptions options{
        .kind = Fidelity::poisson, .gain = 0.6, .offset = 0.1, .background = background};
    const FidelityTerm<double> term(y, options);
    Image<double> u(y.shape());
    for (Index i = 0; i < u.elements(); ++i) {
      u.data()[i] = std::max(y.data()[i] - 0.1, 0.0) - background;
    }
    EXPECT_NEAR(term.value(u), 0.0, 1e-12);
    for (std::uint64_t seed : {1U, 2U, 3U}) {
      const auto d = test::random_image<double>(y.shape(), seed);
      EXPECT_GT(term.value(test::moved(u, 1e-3, d)), 0.0);
      EXPECT_GT(term.value(test::moved(u, 3.0, d)), 0.0);
    }
    term.gradient(u);
    EXPECT_NEAR(test::norm(u), 0.0, 1e-12);
  }
}

// e minimises |e - d|^2 / 2 + step F*(e), by the definition of F* for some pixels, and for all by
// its optimality: with u = (d - e) / step, the gradient at u is e.
TYPED_TEST(FidelityOf, ConjugateStepIsTheMinimiser) {
  using T = TypeParam;
  const Shape shape{1, 2, 5, 6};
  const Image<T> y = frame_of<T>(shape);
  const Image<T> weight = weight_of<T>(shape);
  const auto exact_y = test::converted<double>(y);
  const auto exact_weight = test::converted<double>(weight);
  const Image<T> d = test::random_field<T>(shape, -6.0, 6.0, 6);
  for (const FidelityOptions& options : kinds()) {
    if (options.kind == Fidelity::norm) continue;
    const FidelityTerm<T> term(y, options, weight);
    const double least = test::least_mean(exact_y, options, exact_weight);
    for (double step : {0.02, 1.0, 30.0}) {
      SCOPED_TRACE(message(text(options), ", step ", step));
      Image<T> e(d.view());
      term.conjugate_step(e, step);
      Image<T> u(shape);
      for (Index i = 0; i < u.elements(); ++i) {
        u.data()[i] = static_cast<T>((d.data()[i] - e.data()[i]) / step);
      }
      term.gradient(u);
      const double bound = sizeof(T) == 8 ? 1e-10 : 1e-5;
      const double conditioned = bound * (1 + term.curvature_bound() / step);
      for (Index i = 0; i < u.elements(); ++i) {
        EXPECT_NEAR(u.data()[i], e.data()[i], conditioned) << i;
        if (i % 4 != 0 && i % 5 != 0 && i % 7 != 0) continue;  // weights and counts of 0 among them
        const auto f = [&](double at) {
          return exact_weight.data()[i] *
                 test::misfit_of_pixel(at, exact_y.data()[i], options, least);
        };
        const double expected =
            test::conjugate_step_reference(f, static_cast<double>(d.data()[i]), step, 2000.0);
        EXPECT_NEAR(e.data()[i], expected, 1e-4) << i;
      }
    }
  }
}

TYPED_TEST(FidelityOf, LooksAtNoPixelOfWeightZero) {
  using T = TypeParam;
  const Shape shape{1, 2, 6, 7};
  const Image<T> weight = weight_of<T>(shape);
  Image<T> clean = frame_of<T>(shape);
  Image<T> dirty(clean.view());
  double counted = 0;
  for (Index i = 0; i < weight.elements(); ++i) {
    counted += weight.data()[i] > 0 ? 1 : 0;
    if (weight.data()[i] > 0) continue;
    dirty.data()[i] = static_cast<T>(i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : 1e30);
  }
  for (const FidelityOptions& options : kinds()) {
    SCOPED_TRACE(text(options));
    const FidelityTerm<T> a(clean, options, weight);
    const FidelityTerm<T> b(dirty, options, weight);
    const Image<T> u = prediction_of<T>(shape);
    Image<T> left(u.view());
    Image<T> right(u.view());
    EXPECT_EQ(a.counted(), counted);
    EXPECT_EQ(a.value(u), b.value(u));
    EXPECT_EQ(a.gradient(left), b.gradient(right));
    EXPECT_TRUE(test::same_bits(left, right));
    left = Image<T>(u.view());
    right = Image<T>(u.view());
    a.curvature(u, left);
    b.curvature(u, right);
    EXPECT_TRUE(test::same_bits(left, right));
    EXPECT_EQ(a.curvature_bound(), b.curvature_bound());
    if (options.kind == Fidelity::norm) continue;
    a.conjugate_step(left, 0.5);
    b.conjugate_step(right, 0.5);
    EXPECT_TRUE(test::same_bits(left, right));
    for (Index i = 0; i < weight.elements(); i += 4) EXPECT_EQ(left.data()[i], 0);
  }
}

TYPED_TEST(FidelityOf, TakesStridedFrames) {
  using T = TypeParam;
  const Shape shape{1, 2, 6, 7};
  const Image<T> pixels = frame_of<T>({1, 6, 7, 2});
  const Image<T> weights = weight_of<T>({1, 6, 7, 2});
  // Channels side by side, as files have them.
  const auto strided = [&](const Image<T>& image) {
    return View<const T>(image.data(), shape, {84, 1, 14, 2});
  };
  const Image<T> packed_pixels(strided(pixels));
  const Image<T> packed_weights(strided(weights));
  for (const FidelityOptions& options : kinds()) {
    SCOPED_TRACE(text(options));
    const FidelityTerm<T> packed(packed_pixels, options, packed_weights);
    const FidelityTerm<T> term(strided(pixels), options, strided(weights));
    Image<T> a = prediction_of<T>(shape);
    Image<T> b(a.view());
    EXPECT_EQ(packed.gradient(a), term.gradient(b));
    EXPECT_TRUE(test::same_bits(a, b));
    EXPECT_THAT(test::error_of([&] { term.value(strided(pixels)); }),
                HasSubstr("expected a prediction whose pixels lie side by side"));
  }
}

TYPED_TEST(FidelityOf, GivesTheSameForAnyNumberOfThreads) {
  using T = TypeParam;
  const Shape shape{2, 2, 150, 170};
  const Image<T> y = frame_of<T>(shape);
  const Image<T> u = prediction_of<T>(shape);
  const Image<T> weight = weight_of<T>({1, 2, 150, 170});
  for (const FidelityOptions& options : kinds()) {
    std::vector<double> values;
    std::vector<Image<T>> images;
    for (int threads : {1, 2, 5}) {
      const FidelityTerm<T> term(y, options, weight, threads);
      Image<T> gradient(u.view());
      Image<T> product(u.view());
      values.push_back(term.value(u));
      term.gradient(gradient);
      term.curvature(u, product);
      images.push_back(std::move(gradient));
      images.push_back(std::move(product));
    }
    for (std::size_t i : {1U, 2U}) {
      EXPECT_EQ(values[i], values[0]) << text(options);
      EXPECT_TRUE(test::same_bits(images[2 * i], images[0])) << text(options);
      EXPECT_TRUE(test::same_bits(images[2 * i + 1], images[1])) << text(options);
    }
  }
}

TEST(FidelityNames, GoBothWays) {
  for (Fidelity kind : {Fidelity::gaussian, Fidelity::huber, Fidelity::poisson, Fidelity::norm}) {
    EXPECT_EQ(parse_fidelity(fidelity_name(kind)), kind);
  }
  EXPECT_EQ(fidelity_name(Fidelity::huber), "huber");
  EXPECT_FALSE(parse_fidelity("laplace"));
}

TEST(FidelityErrors, NameWhatIsWrong) {
  const auto y = frame_of<double>({2, 3, 5, 6});
  const auto error = [&](const FidelityOptions& options, const Image<double>& weight = {},
                         const Image<double>* frame = nullptr) {
    return test::error_of(
        [&] { FidelityTerm<double>(frame ? *frame : y, options, view_of(weight)); });
  };
  EXPECT_EQ(error({}), "");
  EXPECT_EQ(error({.noise = 0}), "fidelity: expected noise > 0, got 0");
  EXPECT_EQ(error({.noise = INFINITY}), "fidelity: expected noise > 0, got inf");
  EXPECT_EQ(error({.threshold = -1}), "fidelity: expected threshold > 0, got -1");
  EXPECT_EQ(error({.gain = NAN}), "fidelity: expected gain > 0, got nan");
  EXPECT_EQ(error({.offset = NAN}), "fidelity: expected a finite offset, got nan");
  EXPECT_EQ(error({.background = -2}), "fidelity: expected a background >= 0, got -2");
  for (const Shape& weight : {Shape{3, 1, 5, 6}, Shape{1, 2, 5, 6}, Shape{1, 1, 5, 5}}) {
    EXPECT_EQ(error({}, Image<double>(weight)),
              message("fidelity: expected a weight (N or 1, C or 1, H, W) of the frame "
                      "(2, 3, 5, 6), got ",
                      weight.text()));
  }
  auto broken = frame_of<double>({1, 1, 5, 6});
  broken.data()[7] = NAN;
  EXPECT_EQ(error({}, {}, &broken), "fidelity: expected finite pixels and weights");
  auto weight = test::constant_image<double>({1, 1, 5, 6}, 1.0);
  weight.data()[3] = INFINITY;
  EXPECT_EQ(error({}, weight), "fidelity: expected finite pixels and weights");
  const Image<double> signal({2, 3, 5});
  EXPECT_THAT(error({}, {}, &signal), HasSubstr("expected a frame (N, C, H, W)"));
  const FidelityTerm<double> term(y, {.kind = Fidelity::norm});
  Image<double> u({2, 3, 5, 7});
  EXPECT_THAT(test::error_of([&] { term.value(u); }), HasSubstr("prediction"));
  EXPECT_THAT(test::error_of([&] { term.curvature(y, u); }), HasSubstr("direction"));
  Image<double> d(y.view());
  EXPECT_THAT(test::error_of([&] { term.conjugate_step(d, 1.0); }),
              HasSubstr("expected another than norm"));
}

}  // namespace
}  // namespace blurfield
