// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of blurs with a tolerance: those of what is computed, exactly, and near those of the
// true kernels.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/reference/gaussian_row.h"
#include "tests/support/derivatives.h"
#include "tests/support/fields.h"
#include "tests/support/patterns.h"
#include "tests/support/ways.h"

namespace blurfield::test {
namespace {

// Every way to compute a blur with a tolerance, gather and scatter, in every mode (those that are
// put together of others in two).
template <class Check>
void for_each_way(const Check& check) {
  for (const Way& way : kWays) {
    for (const Mode mode : kModes) {
      const bool own = way.method == BlurMethod::stack || way.method == BlurMethod::residual;
      if (!own && mode != Mode::constant && mode != Mode::wrap) continue;
      for (const bool scatter : {false, true}) {
        AdaptiveBlurOptions options = tolerant(way, mode, scatter);
        options.extension.cval = mode == Mode::constant ? 0.7 : 0.0;
        SCOPED_TRACE(text_of(way.kind, options));
        check(way.kind, options);
      }
    }
  }
}

template <class T>
Image<T> vjp_image(const Image<T>& field, const Image<T>& u, const AdaptiveBlurOptions& options) {
  const Image<T> x(u.shape());
  Image<T> grad(u.shape());
  adaptive_blur_vjp<T>(x, field, u, grad, {}, options);
  return grad;
}

// (N, kind, H, W) with a field of its own for every n.
Image<double> fields_of(Index batch, Index kind, Index height, Index width, double low, double high,
                        Pattern second) {
  Image<double> fields({batch, kind, height, width});
  for (Index n = 0; n < batch; ++n) {
    const auto pattern = n == 0 ? Pattern::smooth : second;
    const Image<double> one =
        pattern_field(pattern, kind, height, width, low, high, static_cast<std::uint64_t>(n) + 1);
    std::copy_n(one.data(), one.elements(), fields.data() + n * one.elements());
  }
  return fields;
}

TEST(AdaptiveBlurToleranceDerivatives, VjpIsTheAdjoint) {
  for_each_way([](Index kind, AdaptiveBlurOptions options) {
    options.extension.cval = 0.0;
    for (const Shape& shape : {Shape{2, 3, 41, 52}, Shape{1, 1, 97, 110}}) {
      const Image<double> field =
          fields_of(shape[0], kind, shape[2], shape[3], 0.6, 12.0, Pattern::steps);
      expect_adjoint<double>(
          shape, shape, [&](const auto& v) { return adaptive_blur(v, field, options); },
          [&](const auto& u) { return vjp_image(field, u, options); });
      const Image<float> field32 = converted<float>(field);
      expect_adjoint<float>(
          shape, shape, [&](const auto& v) { return adaptive_blur(v, field32, options); },
          [&](const auto& u) { return vjp_image(field32, u, options); });
    }
  });
}

// jvp against finite differences, and vjp against jvp, in all inputs at once; with cval, with a
// field for every n and with one for all.
TEST(AdaptiveBlurToleranceDerivatives, Derivatives) {
  for_each_way([](Index kind, const AdaptiveBlurOptions& options) {
    for (const Index batch : {2, 1}) {
      SCOPED_TRACE(message("field batch ", batch));
      const Shape shape{2, 2, 33, 40};
      const Image<double> x = random_image<double>(shape, 1);
      // No sigma where a choice changes, as at powers of two, and no axes along the grid.
      const Image<double> field = fields_of(batch, kind, 33, 40, 2.05, 12.1, Pattern::radial);
      const Image<double> x_dot = random_image<double>(shape, 3);
      // Along a few pixels, and by short steps: where more move, one changes its taps.
      Image<double> field_dot(field.shape());
      Random random(4);
      for (Index i = 5; i < field_dot.elements(); i += 379) field_dot.data()[i] = random.normal();
      const Image<double> u = random_image<double>(shape, 5);
      Image<double> out_dot(shape);
      adaptive_blur_jvp<double>(x, field, x_dot, field_dot, out_dot, options);
      const auto along = [&](double t) {
        return inner(u, adaptive_blur(moved(x, t, x_dot), moved(field, t, field_dot), options));
      };
      expect_slope(along, inner(u, out_dot), 1e-5);
      Image<double> grad_x(shape);
      Image<double> grad_field(field.shape());
      adaptive_blur_vjp<double>(x, field, u, grad_x, grad_field, options);
      const double by_vjp = inner(grad_x, x_dot) + inner(grad_field, field_dot);
      EXPECT_NEAR(by_vjp, inner(u, out_dot), 1e-12 * norm(u) * norm(out_dot));
      Image<double> alone_x(shape);
      Image<double> alone_field(field.shape());
      adaptive_blur_vjp<double>(x, field, u, alone_x, {}, options);
      adaptive_blur_vjp<double>(x, field, u, {}, alone_field, options);
      EXPECT_LT(distance(alone_x, grad_x), 1e-13);
      EXPECT_LT(distance(alone_field, grad_field), 1e-13);
      Image<double> by_x(shape);
      Image<double> by_field(shape);
      adaptive_blur_jvp<double>(x, field, x_dot, {}, by_x, options);
      adaptive_blur_jvp<double>(x, field, {}, field_dot, by_field, options);
      EXPECT_LT(distance(moved(by_x, 1.0, by_field), out_dot), 1e-12);
    }
  });
}

// Rows of the derivative by ln sigma (isotropic, diagonal) or by theta, L1, against those of the
// untruncated kernel.
double worst_slope(Index kind, BlurMethod method, double tolerance, Pattern pattern) {
  constexpr Index kHeight = 100;
  constexpr Index kWidth = 110;
  // Of a scatter the jvp gives rows: each image is one source.
  const AdaptiveBlurOptions options = tolerant({kind, method}, Mode::reflect, true, tolerance);
  const Image<double> field = pattern_field(pattern, kind, kHeight, kWidth, 1.0, 30.0);
  const std::vector<Pixel> pixels = telling_pixels(field, 11);
  const Image<double> at = impulses<double>(field.shape(), pixels);
  double worst = 0.0;
  for (Index k = 0; k < kind; ++k) {
    Image<double> along(field.shape());
    const Index size = kHeight * kWidth;
    for (Index i = k * size; i < (k + 1) * size; ++i) {
      along.data()[i] = kind == 3 ? 1.0 : field.data()[i];
    }
    Image<double> rows(at.shape());
    adaptive_blur_jvp<double>(at, field, {}, along, rows, options);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const Pixel& p = pixels[i];
      const Image<double> row = gaussian_row_derivative(field, p.y, p.x, Mode::reflect, true, k);
      const double scale = along.view().at(0, k, p.y, p.x);
      double error = 0.0;
      for (Index q = 0; q < size; ++q) {
        error += std::abs(rows.data()[static_cast<Index>(i) * size + q] - scale * row.data()[q]);
      }
      worst = std::max(worst, error);
    }
  }
  return worst;
}

// docs/benchmarks.md, "What a tolerance promises", states this.
TEST(AdaptiveBlurToleranceDerivatives, NearTheTrueKernels) {
  double worst = 0.0;
  for (const double tolerance : {1e-2, 1e-3, 1e-4, 1e-5}) {
    for (const Way& way : kWays) {
      if (way.method != BlurMethod::stack && way.method != BlurMethod::residual) continue;
      for (const Pattern pattern : {Pattern::constant, Pattern::smooth, Pattern::steps}) {
        const double error = worst_slope(way.kind, way.method, tolerance, pattern) / tolerance;
        worst = std::max(worst, error);
        EXPECT_LT(error, way.kind == 3 ? 10.0 : 100.0)
            << "kind " << way.kind << ' ' << method_text(way.method) << ", tolerance " << tolerance
            << ", " << pattern_name(pattern);
      }
    }
  }
  RecordProperty("error of the derivative per tolerance", message(worst));
}

}  // namespace
}  // namespace blurfield::test
