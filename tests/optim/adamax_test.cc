// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/adamax.h"

#include <gmock/gmock.h>

#include "tests/support/trajectory.h"

namespace blurfield {
namespace {

template <class T>
class Adamax : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Adamax, Types);

TYPED_TEST(Adamax, StepsLikePyTorch) {
  using T = TypeParam;
  test::expect_trajectory<T>("adamax_default", [](auto objective, auto& x, auto common) {
    return adamax<T>(objective, x, test::with<AdamaxOptions<T>>(common));
  });
  test::expect_trajectory<T>("adamax", [](auto objective, auto& x, auto common) {
    auto options = test::with<AdamaxOptions<T>>(common);
    options.rate = 0.1;
    options.betas = {0.8, 0.99};
    options.epsilon = 1e-6;
    return adamax<T>(objective, x, options);
  });
}

TYPED_TEST(Adamax, StaysWithinItsBounds) {
  using T = TypeParam;
  const std::vector<T> lower{T(-2), T(0.5)};
  const std::vector<T> upper{T(0.5), T(2)};
  AdamaxOptions<T> options;
  options.rate = 0.05;
  options.max_iterations = 3000;
  options.gradient_tolerance = 1e-3;
  options.bounds = {lower, upper};
  options.callback = [&](const Iterate<T>& now) {
    EXPECT_TRUE(now.x[0] <= upper[0] && now.x[1] >= lower[1]);
    return true;
  };
  std::vector<T> x{T(3), T(-4)};  // moved into the box first
  const MinimiseResult result = adamax<T>(test::rosenbrock<T>().objective, x, options);
  EXPECT_EQ(result.stop, Stop::gradient);
  EXPECT_EQ(x, (std::vector<T>{T(0.5), T(0.5)}));
  EXPECT_DOUBLE_EQ(result.value, 6.5);
}

TYPED_TEST(Adamax, RefusesBadOptions) {
  using T = TypeParam;
  const auto error = [](auto change) -> std::string {
    AdamaxOptions<T> options;
    change(options);
    std::vector<T> x{T(1), T(2)};
    try {
      adamax<T>(test::rosenbrock<T>().objective, x, options);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(error([](auto& o) { o.rate = 0; }), HasSubstr("adamax: expected rate > 0, got 0"));
  EXPECT_THAT(error([](auto& o) { o.betas[1] = 1; }), HasSubstr("0 <= betas < 1, got 1"));
  EXPECT_THAT(error([](auto& o) { o.betas[0] = -0.1; }), HasSubstr("0 <= betas < 1, got -0.1"));
  EXPECT_THAT(error([](auto& o) { o.epsilon = 0; }), HasSubstr("epsilon > 0, got 0"));
  const std::vector<T> three{T(1), T(1), T(1)};
  EXPECT_THAT(error([&](auto& o) { o.bounds.lower = three; }),
              HasSubstr("lower bounds of 1 or 2 elements, got 3"));
}

}  // namespace
}  // namespace blurfield
