// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "blurfield/ops/correlate.h"
#include "tests/support/correlations.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

using test::Case;
using test::kMethods;
using test::largest;
using test::random_case;
using test::text;

TEST(CorrelateDerivatives, AdjointIsExact) {
  Random random(5);
  for (int trial = 0; trial < 60; ++trial) {
    Case c = random_case(random);
    c.options.extension.cval = 0.0;
    c.options.method = kMethods[static_cast<std::size_t>(trial) % kMethods.size()];
    SCOPED_TRACE(text(c, c.options.method));
    const auto kernel = test::random_image<double>(c.kernel, 7);
    const auto x = test::random_image<double>(c.x, 8);
    const Shape out = correlate_shape(c.x, c.kernel, c.options);
    test::expect_adjoint<double>(
        c.x, out, [&](const auto& image) { return correlate<double>(image, kernel, c.options); },
        [&](const auto& cotangent) {
          Image<double> grad(c.x);
          correlate_vjp<double>(x, kernel, cotangent, grad, {}, c.options);
          return grad;
        });
    test::expect_adjoint<double>(
        c.kernel, out, [&](const auto& taps) { return correlate<double>(x, taps, c.options); },
        [&](const auto& cotangent) {
          Image<double> grad(c.kernel);
          correlate_vjp<double>(x, kernel, cotangent, {}, grad, c.options);
          return grad;
        });
  }
}

TEST(CorrelateDerivatives, MatchDifferences) {
  Random random(6);
  for (int trial = 0; trial < 40; ++trial) {
    Case c = random_case(random);
    c.options.method = kMethods[static_cast<std::size_t>(trial) % kMethods.size()];
    // With cval != 0 the gradient by the image is that of the linear part: the same.
    SCOPED_TRACE(text(c, c.options.method));
    const auto x = test::random_image<double>(c.x, 1);
    const auto kernel = test::random_image<double>(c.kernel, 2);
    const auto x_dot = test::random_image<double>(c.x, 3);
    const auto kernel_dot = test::random_image<double>(c.kernel, 4);
    const Shape out = correlate_shape(c.x, c.kernel, c.options);
    const auto cotangent = test::random_image<double>(out, 5);
    Image<double> grad_x(c.x);
    Image<double> grad_kernel(c.kernel);
    correlate_vjp<double>(x, kernel, cotangent, grad_x, grad_kernel, c.options);
    const double slope = test::inner(grad_x, x_dot) + test::inner(grad_kernel, kernel_dot);
    test::expect_slope(
        [&](double t) {
          return test::inner(correlate<double>(test::moved(x, t, x_dot),
                                               test::moved(kernel, t, kernel_dot), c.options),
                             cotangent);
        },
        slope);
    Image<double> out_dot(out);
    correlate_jvp<double>(x, kernel, x_dot, kernel_dot, out_dot, c.options);
    EXPECT_NEAR(test::inner(out_dot, cotangent), slope, 1e-11 * (1 + std::abs(slope)));
  }
}

TEST(CorrelateDerivatives, EmptyDirectionsCountAsZero) {
  const auto x = test::random_image<double>({1, 2, 9, 8}, 1);
  const auto kernel = test::random_image<double>({3, 4}, 2);
  Image<double> out_dot(x.shape());
  std::fill_n(out_dot.data(), out_dot.elements(), 7.0);
  correlate_jvp<double>(x, kernel, {}, {}, out_dot);
  EXPECT_EQ(largest(out_dot), 0.0);
  correlate_jvp<double>(x, kernel, x, {}, out_dot);
  EXPECT_LT(test::distance(out_dot, correlate<double>(x, kernel)), 1e-14);
  correlate_jvp<double>(x, kernel, {}, kernel, out_dot);
  EXPECT_LT(test::distance(out_dot, correlate<double>(x, kernel)), 1e-14);
}

}  // namespace
}  // namespace blurfield
