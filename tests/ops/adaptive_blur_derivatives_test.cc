// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of the adaptive blur, and what must hold for them as for the blur itself: every SIMD
// target, any number of threads, extreme fields, progress.
#include <gtest/gtest.h>

#include <cmath>

#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/covariance.h"
#include "tests/reference/adaptive_blur_reference.h"
#include "tests/support/derivatives.h"
#include "tests/support/fields.h"
#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield::test {
namespace {

template <class T>
Image<T> vjp_image(const Image<T>& x, const Image<T>& field, const Image<T>& u,
                   const AdaptiveBlurOptions& options) {
  Image<T> grad(x.shape());
  adaptive_blur_vjp<T>(x, field, u, grad, {}, options);
  return grad;
}

TEST(AdaptiveBlurDerivatives, EverySimdTarget) {
  for_each_target([] {
    for (const Case& c : cases({{1, 3, 19, 45}}, 3.0)) {
      SCOPED_TRACE(c.text);
      const Image<double> x = random_image<double>(c.shape, 1);
      const Image<double> field = field_of(c.shape, c.kind, 0.3, 2.5);
      const Image<double> expected = adaptive_blur_reference(x, field, c.options);
      EXPECT_LT(distance(adaptive_blur(x, field, c.options), expected), 1e-12);
      EXPECT_LT(distance(adaptive_blur(converted<float>(x), converted<float>(field), c.options),
                         expected),
                1e-5);
      AdaptiveBlurOptions linear = c.options;
      linear.extension.cval = 0.0;
      expect_adjoint<double>(
          c.shape, c.shape, [&](const auto& v) { return adaptive_blur(v, field, linear); },
          [&](const auto& u) { return vjp_image(x, field, u, linear); });
    }
  });
}

TEST(AdaptiveBlurDerivatives, VjpIsTheAdjoint) {
  for (const Case& c : cases({{1, 1, 1, 1}, {1, 1, 3, 4}, {2, 3, 14, 37}, {1, 2, 33}})) {
    SCOPED_TRACE(c.text);
    AdaptiveBlurOptions linear = c.options;
    linear.extension.cval = 0.0;
    const Image<double> field = field_of(c.shape, c.kind, 0.3, 3.0);
    const Image<double> x(c.shape);
    expect_adjoint<double>(
        c.shape, c.shape, [&](const auto& v) { return adaptive_blur(v, field, linear); },
        [&](const auto& u) { return vjp_image(x, field, u, linear); });
    const Image<float> field32 = converted<float>(field);
    const Image<float> x32(c.shape);
    expect_adjoint<float>(
        c.shape, c.shape, [&](const auto& v) { return adaptive_blur(v, field32, linear); },
        [&](const auto& u) { return vjp_image(x32, field32, u, linear); });
  }
}

// jvp against finite differences, and vjp against jvp, in all inputs at once; with cval.
TEST(AdaptiveBlurDerivatives, Derivatives) {
  for (const Case& c : cases({{2, 3, 9, 14}, {1, 1, 3, 2}, {1, 2, 17}})) {
    for (const Index batch : {c.shape[0], Index{1}}) {
      SCOPED_TRACE(c.text + message(" field batch ", batch));
      Shape field_shape = c.shape;
      field_shape[0] = batch;
      const Image<double> x = random_image<double>(c.shape, 1);
      // Away from the sigmas where a radius jumps: radii are given.
      AdaptiveBlurOptions options = c.options;
      options.radius = {4};
      const Image<double> field = field_of(field_shape, c.kind, 0.6, 2.5);
      const Image<double> x_dot = random_image<double>(c.shape, 3);
      field_shape[1] = c.kind;
      const Image<double> field_dot = random_image<double>(field_shape, 4);
      const Image<double> u = random_image<double>(c.shape, 5);
      Image<double> out_dot(c.shape);
      adaptive_blur_jvp<double>(x, field, x_dot, field_dot, out_dot, options);
      const auto along = [&](double t) {
        return inner(u, adaptive_blur(moved(x, t, x_dot), moved(field, t, field_dot), options));
      };
      expect_slope(along, inner(u, out_dot));
      Image<double> grad_x(c.shape);
      Image<double> grad_field(field_shape);
      adaptive_blur_vjp<double>(x, field, u, grad_x, grad_field, options);
      const double by_vjp = inner(grad_x, x_dot) + inner(grad_field, field_dot);
      EXPECT_NEAR(by_vjp, inner(u, out_dot), 1e-12 * norm(u) * norm(out_dot));
      // Each gradient alone is the same, bit for bit.
      Image<double> alone_x(c.shape);
      Image<double> alone_field(field_shape);
      adaptive_blur_vjp<double>(x, field, u, alone_x, {}, options);
      adaptive_blur_vjp<double>(x, field, u, {}, alone_field, options);
      EXPECT_TRUE(same_bits(alone_x, grad_x));
      EXPECT_TRUE(same_bits(alone_field, grad_field));
      // Each tangent alone adds up to both.
      Image<double> by_x(c.shape);
      Image<double> by_field(c.shape);
      adaptive_blur_jvp<double>(x, field, x_dot, {}, by_x, options);
      adaptive_blur_jvp<double>(x, field, {}, field_dot, by_field, options);
      EXPECT_LT(distance(moved(by_x, 1.0, by_field), out_dot), 1e-12);
    }
  }
}

TEST(AdaptiveBlurDerivatives, ThreadsDoNotChangeABit) {
  for (const Case& c : cases({{2, 3, 50, 83}})) {
    SCOPED_TRACE(c.text);
    const Image<float> x = random_image<float>(c.shape, 1);
    const Image<float> field = converted<float>(field_of(c.shape, c.kind, 0.3, 4.0));
    const Image<float> u = random_image<float>(c.shape, 2);
    std::vector<Image<float>> first;
    for (int threads : {1, 2, 5}) {
      AdaptiveBlurOptions options = c.options;
      options.execution.threads = threads;
      std::vector<Image<float>> results;
      results.push_back(adaptive_blur(x, field, options));
      results.emplace_back(c.shape);
      results.emplace_back(field.shape());
      adaptive_blur_vjp<float>(x, field, u, results[1], results[2], options);
      results.emplace_back(c.shape);
      adaptive_blur_jvp<float>(x, field, u, field, results[3], options);
      if (first.empty()) {
        first = std::move(results);
        continue;
      }
      for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_TRUE(same_bits(results[i], first[i])) << "result " << i << ", threads " << threads;
      }
    }
  }
}

// Any real theta is a covariance; any sigma > 0 a width.
TEST(AdaptiveBlurDerivatives, ExtremeFieldsStayFinite) {
  const Shape shape{1, 1, 7, 9};
  const auto all_finite = [](const auto& image) {
    return std::all_of(image.data(), image.data() + image.elements(),
                       [](auto v) { return std::isfinite(v); });
  };
  const auto check = [&](const Image<double>& field64) {
    const Image<float> field = converted<float>(field64);
    const Image<float> x = random_image<float>(shape, 1);
    for (bool scatter : {false, true}) {
      AdaptiveBlurOptions options;
      options.scatter = scatter;
      Image<float> grad_x(shape);
      Image<float> grad_field(field.shape());
      Image<float> out_dot(shape);
      EXPECT_TRUE(all_finite(adaptive_blur(x, field, options)));
      adaptive_blur_vjp<float>(x, field, x, grad_x, grad_field, options);
      adaptive_blur_jvp<float>(x, field, x, field, out_dot, options);
      EXPECT_TRUE(all_finite(grad_x) && all_finite(grad_field) && all_finite(out_dot));
      EXPECT_TRUE(all_finite(adaptive_blur(converted<double>(x), field64, options)));
    }
  };
  for (double sigma : {1e-30, 1e-6, 0.05, 0.076, 0.3}) check(constant_image<double>(shape, sigma));
  for (const Logchol& theta : {Logchol{-80, 0, -80}, Logchol{-300, 5, -20}, Logchol{1, 9, -40},
                               Logchol{-2, 0.5, -2}, Logchol{0.5, -20, 0}}) {
    Image<double> field({1, 3, 7, 9});
    for (Index k = 0; k < 3; ++k) {
      std::fill_n(field.data() + k * 63, 63, theta[static_cast<std::size_t>(k)]);
    }
    check(field);
  }
}

TEST(AdaptiveBlurDerivatives, ProgressRunsOnceAndCancels) {
  const Shape shape{2, 1, 60, 40};
  const Image<float> x = random_image<float>(shape, 1);
  for (Index kind : {1, 3}) {
    const Image<float> field = converted<float>(field_of(shape, kind, 0.5, 2.0));
    for (bool scatter : {false, true}) {
      AdaptiveBlurOptions options;
      options.scatter = scatter;
      std::vector<double> seen;
      options.execution.progress = [&](double fraction) {
        seen.push_back(fraction);
        return true;
      };
      adaptive_blur(x, field, options);
      ASSERT_FALSE(seen.empty());
      EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
      EXPECT_DOUBLE_EQ(seen.back(), 1.0);
      options.execution.progress = [](double) { return false; };
      EXPECT_THROW(adaptive_blur(x, field, options), Cancelled);
    }
  }
}

}  // namespace
}  // namespace blurfield::test
