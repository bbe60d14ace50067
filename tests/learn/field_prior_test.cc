// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/field_prior.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/derivatives.h"

namespace blurfield::test {
namespace {

using detail::PriorOnField;

std::span<const double> span_of(const Image<double>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}
std::span<double> span_of(Image<double>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}

// The definition, pixel by pixel.
double slow_value(const Image<double>& s, FieldPrior prior, double scale) {
  const Shape& shape = s.shape();
  const bool signal = shape.rank() == 3;
  const Index height = signal ? 1 : shape[2];
  const Index width = shape[shape.rank() - 1];
  double sum = 0.0;
  for (Index f = 0; f < shape[0]; ++f) {
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        double squared = 0.0;
        for (Index k = 0; k < shape[1]; ++k) {
          const auto at = [&](Index v, Index u) {
            return s.data()[((f * shape[1] + k) * height + v) * width + u];
          };
          if (y + 1 < height) squared += std::pow(at(y + 1, x) - at(y, x), 2);
          if (x + 1 < width) squared += std::pow(at(y, x + 1) - at(y, x), 2);
        }
        const double t = std::sqrt(squared);
        if (prior == FieldPrior::smooth) {
          sum += squared / 2;
        } else {
          sum += t < scale ? squared / (2 * scale) : t - scale / 2;
        }
      }
    }
  }
  return sum;
}

const Shape kShapes[] = {{1, 1, 7, 5}, {2, 3, 4, 9}, {1, 2, 1, 6}, {1, 1, 6, 1}, {2, 1, 11}};

TEST(FieldPrior, ValueIsTheDefinition) {
  for (const Shape& shape : kShapes) {
    const Image<double> s = random_image<double>(shape, 3);
    for (FieldPrior prior : {FieldPrior::smooth, FieldPrior::tv}) {
      const PriorOnField<double> on(prior, shape, 0.8, 0);
      EXPECT_NEAR(on.evaluate(span_of(s), 1.0, {}), slow_value(s, prior, 0.8), 1e-12)
          << shape.text();
    }
  }
}

TEST(FieldPrior, GradientIsTheDerivative) {
  for (const Shape& shape : kShapes) {
    const Image<double> s = random_image<double>(shape, 3);
    const Image<double> d = random_image<double>(shape, 4);
    for (FieldPrior prior : {FieldPrior::smooth, FieldPrior::tv}) {
      const PriorOnField<double> on(prior, shape, 0.8, 0);
      Image<double> gradient(shape);
      on.evaluate(span_of(s), 2.5, span_of(gradient));
      expect_slope(
          [&](double t) {
            const Image<double> at = moved(s, t, d);
            return 2.5 * on.evaluate(span_of(at), 0.0, {});
          },
          inner(gradient, d), 1e-4);
    }
  }
}

TEST(FieldPrior, CurvatureIsSymmetricAndHasItsDiagonal) {
  for (const Shape& shape : kShapes) {
    const Image<double> s = random_image<double>(shape, 3);
    for (FieldPrior prior : {FieldPrior::smooth, FieldPrior::tv}) {
      PriorOnField<double> on(prior, shape, 0.3, 0);
      on.linearise(span_of(s));
      const auto product = [&](const Image<double>& v) {
        Image<double> result(shape);
        on.add_product(1.5, span_of(v), span_of(result));
        return result;
      };
      expect_adjoint<double>(shape, shape, product, product);
      Image<double> diagonal(shape);
      on.add_diagonal(1.5, span_of(diagonal));
      for (Index i = 0; i < s.elements(); ++i) {
        Image<double> unit(shape);
        unit.data()[i] = 1.0;
        EXPECT_NEAR(product(unit).data()[i], diagonal.data()[i], 1e-12);
      }
      // A constant field costs nothing.
      EXPECT_LT(norm(product(constant_image<double>(shape, 4.0))), 1e-12);
    }
  }
}

TEST(FieldPrior, SmoothIsItsOwnCurvature) {
  const Shape shape{1, 2, 6, 5};
  const Image<double> s = random_image<double>(shape, 9);
  PriorOnField<double> on(FieldPrior::smooth, shape, 0.1, 0);
  on.linearise(span_of(s));
  Image<double> product(shape);
  on.add_product(1.0, span_of(s), span_of(product));
  EXPECT_NEAR(inner(product, s) / 2, on.evaluate(span_of(s), 0.0, {}), 1e-12);
}

TEST(FieldPrior, NoneIsNothing) {
  const Shape shape{1, 1, 4, 4};
  const Image<double> s = random_image<double>(shape, 9);
  const PriorOnField<double> on(FieldPrior::none, shape, 0.1, 0);
  Image<double> gradient(shape);
  EXPECT_FALSE(on.active());
  EXPECT_EQ(on.evaluate(span_of(s), 1.0, span_of(gradient)), 0.0);
  EXPECT_EQ(norm(gradient), 0.0);
}

}  // namespace
}  // namespace blurfield::test
