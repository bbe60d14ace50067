// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/gradient_descent.h"

#include <gmock/gmock.h>

#include "tests/support/trajectory.h"

namespace blurfield {
namespace {

template <class T>
class GradientDescent : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GradientDescent, Types);

TYPED_TEST(GradientDescent, StepsLikePyTorch) {
  using T = TypeParam;
  for (double momentum : {0.0, 0.9}) {
    test::expect_trajectory<T>(momentum > 0 ? "sgd_momentum" : "sgd",
                               [=](auto objective, auto& x, auto common) {
                                 auto options = test::with<GradientDescentOptions<T>>(common);
                                 options.rate = 1e-4;
                                 options.momentum = momentum;
                                 return gradient_descent<T>(objective, x, options);
                               });
  }
}

TYPED_TEST(GradientDescent, StaysWithinItsBounds) {
  using T = TypeParam;
  const std::vector<T> upper{T(0.5), T(2)};
  GradientDescentOptions<T> options;
  options.max_iterations = 5000;
  options.gradient_tolerance = 1e-3;
  options.bounds.upper = upper;
  std::vector<T> x = test::rosenbrock_start<T>(2);
  const auto result = gradient_descent<T>(test::rosenbrock<T>().objective, x, options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_EQ(x[0], T(0.5));
  EXPECT_NEAR(x[1], 0.25, 1e-5);
}

TYPED_TEST(GradientDescent, RefusesBadOptions) {
  using T = TypeParam;
  const auto error = [](double rate, double momentum) -> std::string {
    GradientDescentOptions<T> options;
    options.rate = rate;
    options.momentum = momentum;
    std::vector<T> x{T(1), T(2)};
    try {
      gradient_descent<T>(test::rosenbrock<T>().objective, x, options);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(error(-1, 0), HasSubstr("gradient_descent: expected rate > 0, got -1"));
  EXPECT_THAT(error(1, 1), HasSubstr("0 <= momentum < 1, got 1"));
}

}  // namespace
}  // namespace blurfield
