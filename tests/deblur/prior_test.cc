// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/prior.h"

#include <gmock/gmock.h>

#include "blurfield/deblur/detail/penalty.h"
#include "blurfield/deblur/detail/row_sweep.h"
#include "blurfield/deblur/detail/spectral_penalty.h"
#include "tests/reference/prior_reference.h"
#include "tests/support/blur_operators.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

using ::testing::HasSubstr;

template <class T>
class PriorOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PriorOf, Types);

constexpr Prior kPriors[]{Prior::none, Prior::tikhonov, Prior::gradient, Prior::norm,
                          Prior::tv,   Prior::huber_tv, Prior::tv2,      Prior::hessian};

// Single pixels, single lines, odd sizes, and more rows than a strip of the sweep.
const std::vector<Shape> kShapes{{1, 1, 1, 1}, {1, 1, 1, 23},  {1, 1, 19, 1}, {1, 1, 2, 2},
                                 {2, 3, 7, 9}, {1, 2, 37, 50}, {1, 1, 16, 5}, {1, 1, 17, 5}};

std::string text(const PriorOptions& options, const Shape& shape) {
  return message(prior_name(options.kind), options.joint ? ", joint, " : ", each, ", shape.text());
}

// Whole numbers -2..2: norms of differences are roots of whole numbers, none near 2.5, where
// Huber's function has a kink.
template <class T>
Image<T> lattice(const Shape& shape, std::uint64_t seed = 1) {
  Random random(seed);
  Image<T> x(shape);
  for (Index i = 0; i < x.elements(); ++i) x.data()[i] = static_cast<T>(random.integer(-2, 2));
  return x;
}
constexpr double kScale = 2.5;

template <class F>
void for_each_prior(const F& f) {
  for (const Shape& shape : kShapes) {
    for (Prior kind : kPriors) {
      for (bool joint : {true, false}) {
        const PriorOptions options{kind, kScale, joint};
        SCOPED_TRACE(text(options, shape));
        f(shape, options);
      }
    }
  }
}

TYPED_TEST(PriorOf, EqualsItsSlowTwin) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  for_each_prior([&](const Shape& shape, PriorOptions options) {
    const Image<T> x = test::random_image<T>(shape, 1);
    const auto exact = test::converted<double>(x);
    for (double scale : {kScale, 0.01}) {
      options.scale = scale;
      const PriorTerm<T> term(shape, options);
      const double smoothed = test::prior_reference(exact, options);
      const double sharp = test::prior_reference(exact, options, false);
      EXPECT_NEAR(term.value(x), smoothed, tolerance * smoothed);
      EXPECT_NEAR(term.value(x, false), sharp, tolerance * sharp);
      Image<T> g(shape);
      EXPECT_NEAR(term.add_gradient(x, 1.0, g), smoothed, tolerance * smoothed);
      EXPECT_EQ(term.active(), options.kind != Prior::none);
    }
  });
}

TEST(PriorDerivatives, MatchDifferences) {
  for_each_prior([](const Shape& shape, const PriorOptions& options) {
    const auto x = lattice<double>(shape);
    const auto d = test::random_image<double>(shape, 2);
    const auto e = test::random_image<double>(shape, 3);
    const PriorTerm<double> term(shape, options);
    const auto gradient = [&](double t) {
      Image<double> g(shape);
      term.add_gradient(test::moved(x, t, d), 1.0, g);
      return g;
    };
    const auto product = [&](const Image<double>& v) {
      Image<double> hv(shape);
      term.add_product(x, v, 1.0, hv);
      return hv;
    };
    test::expect_slope([&](double t) { return term.value(test::moved(x, t, d)); },
                       test::inner(gradient(0), d));
    test::expect_slope([&](double t) { return test::inner(gradient(t), e); },
                       test::inner(product(d), e));
    EXPECT_NEAR(test::inner(product(d), e), test::inner(product(e), d),
                1e-12 * test::norm(product(d)) * test::norm(e));
  });
}

TYPED_TEST(PriorOf, AddsMultiplesOfItsDerivatives) {
  using T = TypeParam;
  for_each_prior([](const Shape& shape, const PriorOptions& options) {
    const Image<T> x = lattice<T>(shape);
    const Image<T> v = test::random_image<T>(shape, 2);
    const Image<T> before = test::random_image<T>(shape, 3);
    const PriorTerm<T> term(shape, options);
    const auto expect_added = [&](const auto& add) {
      Image<T> alone(shape);
      Image<T> sum(before.view());
      add(1.0, alone);
      add(-0.3, sum);
      for (Index i = 0; i < sum.elements(); ++i) {
        alone.data()[i] = static_cast<T>(before.data()[i] - 0.3 * alone.data()[i]);
      }
      EXPECT_LE(test::distance(sum, alone), sizeof(T) == 8 ? 1e-14 : 1e-6);
    };
    expect_added([&](double factor, Image<T>& g) { term.add_gradient(x, factor, g); });
    expect_added([&](double factor, Image<T>& hv) { term.add_product(x, v, factor, hv); });
  });
}

// In float against the same in double, at scenes of every steepness.
TEST(PriorProducts, LoseNoDigits) {
  const Shape shape{1, 2, 12, 13};
  for (Prior kind : kPriors) {
    for (double height : {0.0, 1e-6, 1e-3, 1.0, 1e3}) {
      SCOPED_TRACE(message(prior_name(kind), ", ", height));
      auto x = test::random_field<float>(shape, 0.0, height, 1);
      // A bowl, whose two curvatures are the same up to that.
      for (Index y = 0; y < shape[2]; ++y) {
        for (Index i = 0; i < shape[3]; ++i) {
          x.view().at(0, 0, y, i) += 0.0625f * static_cast<float>(y * y + i * i);
        }
      }
      const auto v = test::random_image<float>(shape, 2);
      const PriorOptions options{kind, 0.25, true};
      Image<float> hv(shape);
      Image<double> exact(shape);
      PriorTerm<float>(shape, options).add_product(x, v, 1.0, hv);
      PriorTerm<double>(shape, options)
          .add_product(test::converted<double>(x), test::converted<double>(v), 1.0, exact);
      EXPECT_LE(test::distance(hv, exact), 3e-5);
    }
  }
}

TEST(PriorAtAFlatScene, IsZero) {
  const Shape shape{1, 2, 9, 8};
  const auto x = test::constant_image<double>(shape, 3.0);
  const auto v = test::random_image<double>(shape, 2);
  for (Prior kind :
       {Prior::gradient, Prior::norm, Prior::tv, Prior::huber_tv, Prior::tv2, Prior::hessian}) {
    const PriorTerm<double> term(shape, {kind, 0.1, true});
    Image<double> g(shape);
    EXPECT_EQ(term.add_gradient(x, 1.0, g), 0.0) << prior_name(kind);
    EXPECT_EQ(term.value(x, false), 0.0) << prior_name(kind);
    term.add_product(x, x, 1.0, g);
    EXPECT_EQ(test::norm(g), 0.0) << prior_name(kind);
    term.add_product(x, v, 1.0, g);
    EXPECT_TRUE(std::isfinite(test::norm(g))) << prior_name(kind);
  }
}

TEST(PriorAtASlope, HessianIsZero) {
  const Shape shape{1, 1, 9, 8};
  Image<double> x(shape);
  for (Index i = 0; i < x.elements(); ++i) {
    x.data()[i] = static_cast<double>(2 * (i / 8) - 3 * (i % 8));
  }
  EXPECT_EQ(PriorTerm<double>(shape, {Prior::hessian, 0.1, true}).value(x, false), 0.0);
  EXPECT_GT(PriorTerm<double>(shape, {Prior::tv, 0.1, true}).value(x, false), 100.0);
}

// The largest eigenvalue of a symmetric product, from below, by the power method.
template <class Product>
double largest_eigenvalue(const Shape& shape, const Product& product) {
  auto v = test::random_image<double>(shape, 1);
  double value = 0.0;
  for (int i = 0; i < 200; ++i) {
    const double size = 1.0 / test::norm(v);
    for (Index k = 0; k < v.elements(); ++k) v.data()[k] *= size;
    Image<double> next(shape);
    product(v, next);
    value = test::norm(next);
    if (!(value > 0)) return value;
    v = std::move(next);
  }
  return value;
}

TEST(PriorCurvature, IsBounded) {
  const Shape shape{1, 2, 40, 37};
  for (Prior kind : kPriors) {
    for (bool joint : {true, false}) {
      const PriorOptions options{kind, 0.3, joint};
      SCOPED_TRACE(text(options, shape));
      const PriorTerm<double> term(shape, options);
      if (kind == Prior::norm) {
        EXPECT_EQ(term.curvature_bound(), INFINITY);
        continue;
      }
      const auto at = [&](const Image<double>& x) {
        return largest_eigenvalue(
            shape, [&](const auto& v, auto& hv) { term.add_product(x, v, 1.0, hv); });
      };
      // Steepest where the scene is flat, and nearly the bound.
      const double flat = at(test::constant_image<double>(shape, 1.0));
      EXPECT_LE(flat, term.curvature_bound() * (1 + 1e-12));
      EXPECT_GE(flat, 0.97 * term.curvature_bound());
      EXPECT_LE(at(test::random_image<double>(shape, 2)), term.curvature_bound());
    }
  }
}

// D x and D^T d of whole images, by the sweep.
template <class D, class T>
Image<T> differences_of(const Image<T>& x) {
  const Shape& s = x.shape();
  const detail::Groups groups{s[0], s[1], false};
  Image<T> d({s[0], s[1], s[2], D::kComponents * s[3]});
  for (Index group = 0; group < groups.count(); ++group) {
    for (Index y = 0; y < s[2]; ++y) {
      detail::difference_rows<D, T>(x, groups, group, y,
                                    d.data() + (group * s[2] + y) * d.shape()[3]);
    }
  }
  return d;
}
template <class D, class T>
Image<T> adjoint_of(const Image<T>& d, const Shape& shape, bool joint) {
  Image<T> x(shape);
  const Index row = d.shape()[3];
  detail::sweep_rows<D, T>(
      shape, joint, 0, 0,
      [&](Index group, Index y, T* rows, T*) {
        const Index width = joint ? shape[1] : 1;
        for (Index c = 0; c < width; ++c) {
          const T* from = d.data() + ((group * width + c) * shape[2] + y) * row;
          std::copy_n(from, row, rows + c * row);
        }
        return 0.0;
      },
      T{1}, x.view());
  return x;
}

template <class D, class T>
void expect_exact_differences() {
  for (const Shape& shape : kShapes) {
    for (bool joint : {true, false}) {
      SCOPED_TRACE(message(shape.text(), joint));
      const Shape dual{shape[0], shape[1], shape[2], D::kComponents * shape[3]};
      test::expect_adjoint<T>(shape, dual, differences_of<D, T>,
                              [&](const Image<T>& d) { return adjoint_of<D, T>(d, shape, joint); });
    }
  }
  const Shape shape{1, 1, 61, 64};
  const double square = largest_eigenvalue(shape, [&](const auto& v, auto& next) {
    next = adjoint_of<D>(differences_of<D>(v), shape, false);
  });
  EXPECT_LE(square, D::kSquaredNorm * (1 + 1e-12));
  EXPECT_GE(square, 0.98 * D::kSquaredNorm);
}

TYPED_TEST(PriorOf, DifferencesHaveExactAdjointsAndBoundedNorms) {
  expect_exact_differences<detail::FirstDifferences, TypeParam>();
  expect_exact_differences<detail::SecondDifferences, TypeParam>();
}

// The nearest point of the dual ball: inside it, and d - p is normal to the ball there, by
// <d - p, q - p> <= 0 for q in the ball.
template <class T, class Penalty>
void expect_projection(const Penalty& penalty, Index planes, bool spectral = false) {
  constexpr Index kCount = 31;
  constexpr double kRadius = 0.8;
  const Shape shape{planes, kCount};
  const auto radius = static_cast<T>(kRadius);
  Image<T> work({3, kCount});
  const auto projected = [&](std::uint64_t seed) {
    Image<T> p = test::random_image<T>(shape, seed);
    penalty.project(p.data(), radius, kCount, work.data());
    return p;
  };
  const Image<T> d = test::random_image<T>(shape, 1);
  const Image<T> p = projected(1);
  const auto size = [&](const Image<T>& of, Index i) {
    const auto at = [&](Index k) { return static_cast<double>(of.data()[k * kCount + i]); };
    if (spectral) {
      const double mean = (at(0) + at(2)) / 2;
      return std::abs(mean) + std::hypot((at(0) - at(2)) / 2, at(1) / std::numbers::sqrt2);
    }
    double square = 0.0;
    for (Index k = 0; k < planes; ++k) square += at(k) * at(k);
    return std::sqrt(square);
  };
  int moved = 0;
  for (Index i = 0; i < kCount; ++i) {
    const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
    EXPECT_LE(size(p, i), kRadius + tolerance);
    const bool inside = size(d, i) <= kRadius;
    moved += inside ? 0 : 1;
    for (std::uint64_t seed = 2; seed < 12; ++seed) {
      const Image<T> q = projected(seed);
      double dot = 0.0;
      for (Index k = i; k < planes * kCount; k += kCount) {
        const auto gap = static_cast<double>(d.data()[k] - p.data()[k]);
        EXPECT_LE(inside ? std::abs(gap) : 0.0, tolerance);
        dot += gap * static_cast<double>(q.data()[k] - p.data()[k]);
      }
      EXPECT_LE(dot, tolerance);
    }
  }
  EXPECT_GT(moved, 5);
}

TYPED_TEST(PriorOf, PenaltiesProjectOntoTheirDualBalls) {
  using T = TypeParam;
  for (Index planes : {2, 3, 6}) {
    expect_projection<T>(detail::NormPenalty<T, detail::Charbonnier<T>>{{T{0}}, planes}, planes);
  }
  expect_projection<T>(detail::SpectralPenalty<T>{T{0}, 1}, 3, true);
}

TYPED_TEST(PriorOf, GivesTheSameForAnyNumberOfThreads) {
  using T = TypeParam;
  const Shape shape{1, 2, 190, 210};
  const Image<T> x = test::random_image<T>(shape, 1);
  const Image<T> v = test::random_image<T>(shape, 2);
  for (Prior kind : kPriors) {
    std::vector<double> values;
    std::vector<Image<T>> images;
    for (int threads : {1, 2, 5}) {
      const PriorTerm<T> term(shape, {kind, 0.1, true}, threads);
      Image<T> g(shape);
      Image<T> hv(shape);
      values.push_back(term.value(x) + 2 * term.add_gradient(x, 1.0, g));
      term.add_product(x, v, 1.0, hv);
      images.push_back(std::move(g));
      images.push_back(std::move(hv));
    }
    for (std::size_t i : {1U, 2U}) {
      EXPECT_EQ(values[i], values[0]) << prior_name(kind);
      EXPECT_TRUE(test::same_bits(images[2 * i], images[0])) << prior_name(kind);
      EXPECT_TRUE(test::same_bits(images[2 * i + 1], images[1])) << prior_name(kind);
    }
  }
}

TEST(PriorNames, GoBothWays) {
  for (Prior kind : kPriors) EXPECT_EQ(parse_image_prior(prior_name(kind)), kind);
  EXPECT_EQ(prior_name(Prior::huber_tv), "huber-tv");
  EXPECT_FALSE(parse_image_prior("tgv"));
}

TEST(PriorErrors, NameWhatIsWrong) {
  const Shape shape{1, 2, 5, 6};
  EXPECT_EQ(test::error_of([&] {
              PriorTerm<double>({2, 5, 6}, {});
            }),
            "prior: expected a scene (N, C, H, W) with pixels, got (2, 5, 6)");
  for (const double scale : {0.0, -1.0, double{NAN}, double{INFINITY}}) {
    EXPECT_EQ(test::error_of([&] {
                PriorTerm<double>(shape, {Prior::tv, scale, true});
              }),
              message("prior: expected a scale > 0, got ", scale));
  }
  const PriorTerm<double> term(shape, {Prior::tv, 0.1, true});
  Image<double> good(shape);
  Image<double> other({1, 2, 5, 7});
  EXPECT_THAT(test::error_of([&] { term.value(other); }), HasSubstr("scene"));
  EXPECT_THAT(test::error_of([&] { term.add_gradient(good, 1.0, other); }), HasSubstr("gradient"));
  EXPECT_THAT(test::error_of([&] { term.add_product(good, other, 1.0, good); }),
              HasSubstr("direction"));
  EXPECT_THAT(test::error_of([&] { term.add_product(good, good, 1.0, other); }),
              HasSubstr("product"));
  Image<double> wide({1, 2, 5, 12});
  const View<const double> strided(wide.data(), shape, {120, 60, 12, 2});
  EXPECT_EQ(test::error_of([&] { term.value(strided); }),
            "prior: expected a scene whose pixels lie side by side, got a stride of 2");
}

}  // namespace
}  // namespace blurfield
