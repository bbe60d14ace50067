// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/multilevel.h"

#include <gtest/gtest.h>

#include "blurfield/learn/detail/small_symmetric.h"
#include "blurfield/optim/conjugate_gradient.h"
#include "tests/support/derivatives.h"

namespace blurfield::test {
namespace {

using detail::Multilevel;
using detail::packed;
using detail::PriorOnField;

std::span<double> span_of(Image<double>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}
std::span<const double> span_of(const Image<double>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}

// Blocks v v^T, of rank one: what a grey image gives.
Image<double> rank_one_blocks(const Shape& field, std::uint64_t seed) {
  const Image<double> v = random_image<double>(field, seed);
  Shape shape = field;
  const Index k = field[1];
  shape[1] = k * (k + 1) / 2;
  Image<double> blocks(shape);
  const Index plane = field.elements() / (field[0] * k);
  for (Index f = 0; f < field[0]; ++f) {
    for (Index i = 0; i < k; ++i) {
      for (Index j = 0; j <= i; ++j) {
        for (Index p = 0; p < plane; ++p) {
          blocks.data()[(f * shape[1] + packed(i, j)) * plane + p] =
              v.data()[(f * k + i) * plane + p] * v.data()[(f * k + j) * plane + p];
        }
      }
    }
  }
  return blocks;
}

struct Operator {
  Operator(const Shape& shape, double weight)
      : field(shape),
        blocks(rank_one_blocks(shape, 5)),
        prior(FieldPrior::smooth, shape, 0.1, 0),
        lambda(weight) {}
  void multiply(std::span<const double> v, std::span<double> out) const {
    const Index k = field[1];
    const Index plane = field.elements() / (field[0] * k);
    for (Index f = 0; f < field[0]; ++f) {
      detail::multiply_symmetric(k, blocks.data() + f * k * (k + 1) / 2 * plane,
                                 v.data() + f * k * plane, out.data() + f * k * plane, plane,
                                 plane);
    }
    prior.add_product(lambda, v, out);
  }
  Shape field;
  Image<double> blocks;
  PriorOnField<double> prior;
  double lambda;
};

TEST(Multilevel, IsSymmetric) {
  for (const Shape& shape : {Shape{1, 1, 17, 30}, Shape{2, 3, 13, 5}, Shape{1, 2, 1, 9},
                             Shape{1, 1, 40}, Shape{1, 3, 2, 2}}) {
    const Operator a(shape, 3.0);
    const Image<double> diagonal = constant_image<double>(shape, 0.01);
    Multilevel<double> multilevel(shape, true, 0);
    multilevel.set(a.blocks, span_of(diagonal), a.prior, a.lambda);
    const auto apply = [&](const Image<double>& r) {
      Image<double> z(shape);
      multilevel.apply(span_of(r), span_of(z));
      return z;
    };
    expect_adjoint<double>(shape, shape, apply, apply);
    const Image<double> r = random_image<double>(shape, 8);
    EXPECT_GT(inner(r, apply(r)), 0.0) << shape.text();
  }
}

// The number of steps to solve with a strong prior, with the pyramid and without.
int steps(const Shape& shape, bool pyramid) {
  const Operator a(shape, 1000.0);
  const Image<double> diagonal(shape);
  Multilevel<double> multilevel(shape, pyramid, 0);
  multilevel.set(a.blocks, span_of(diagonal), a.prior, a.lambda);
  const Image<double> b = random_image<double>(shape, 2);
  Image<double> x(shape);
  ConjugateGradientOptions options;
  options.tolerance = 1e-6;
  options.max_iterations = 5000;
  const auto result = conjugate_gradient<double>(
      [&](std::span<const double> v, std::span<double> out) { a.multiply(v, out); }, span_of(b),
      span_of(x), options,
      [&](std::span<const double> v, std::span<double> out) { multilevel.apply(v, out); });
  EXPECT_EQ(result.stop, ConjugateGradientStop::converged);
  Image<double> product(shape);
  a.multiply(span_of(std::as_const(x)), span_of(product));
  EXPECT_LT(norm(moved(product, -1.0, b)), 1e-3 * norm(b));
  return result.iterations;
}

TEST(Multilevel, SolvesInFewStepsWhateverTheSize) {
  for (Index k : {1, 3}) {
    const int small = steps({1, k, 64, 64}, true);
    const int large = steps({1, k, 256, 256}, true);
    EXPECT_LT(large, 80);
    EXPECT_LT(large, 2 * small + 10);
    EXPECT_LT(3 * steps({1, k, 64, 64}, true), steps({1, k, 64, 64}, false));
  }
}

TEST(Multilevel, WithoutPriorInvertsTheBlocks) {
  const Shape shape{1, 3, 5, 4};
  const Operator a(shape, 0.0);
  const Image<double> diagonal = constant_image<double>(shape, 0.5);
  Multilevel<double> multilevel(shape, false, 0);
  const PriorOnField<double> none(FieldPrior::none, shape, 0.1, 0);
  multilevel.set(a.blocks, span_of(diagonal), none, 0.0);
  const Image<double> r = random_image<double>(shape, 8);
  Image<double> z(shape);
  multilevel.apply(span_of(r), span_of(z));
  Image<double> back(shape);
  a.multiply(span_of(std::as_const(z)), span_of(back));
  EXPECT_LT(distance(moved(back, 0.5, z), r), 1e-12);
}

}  // namespace
}  // namespace blurfield::test
