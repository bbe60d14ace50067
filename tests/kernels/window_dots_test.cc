// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/window_dots.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield::kernels {
namespace {

template <class T>
class WindowDotsTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(WindowDotsTest, Types);

TYPED_TEST(WindowDotsTest, MatchTheSumsOnEveryTarget) {
  using T = TypeParam;
  const std::array<Index, kDotColumns> offsets{0, 1, 5, 5};
  for (Index step : {1, 2}) {
    for (Index count : {1, 2, 9}) {
      for (Index width : {1, 7, 16, 33, 400}) {
        const auto a = test::random_image<T>({1, 1, count, width}, 1);
        const auto b = test::random_image<T>({1, 1, count * step + kDotRows, width + 5}, 2);
        std::vector<const T*> a_rows;
        std::vector<const T*> b_rows;
        for (Index r = 0; r < count; ++r) a_rows.push_back(a.view().row(0, 0, r));
        for (Index r = 0; r < b.shape()[2]; ++r) b_rows.push_back(b.view().row(0, 0, r));
        test::for_each_target([&] {
          std::array<double, kDotRows * kDotColumns> dots{};
          dots.fill(1.0);
          window_dots(a_rows.data(), b_rows.data(), step, offsets.data(), count, width,
                      dots.data());
          for (Index i = 0; i < kDotRows; ++i) {
            for (Index j = 0; j < kDotColumns; ++j) {
              double sum = 1.0;
              for (Index r = 0; r < count; ++r) {
                for (Index x = 0; x < width; ++x) {
                  sum += static_cast<double>(a.view().at(0, 0, r, x)) *
                         static_cast<double>(b.view().at(0, 0, r * step + i,
                                                         offsets[static_cast<std::size_t>(j)] + x));
                }
              }
              EXPECT_NEAR(dots[static_cast<std::size_t>(i * kDotColumns + j)], sum,
                          sizeof(T) == 8 ? 1e-11 : 1e-3);
            }
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace blurfield::kernels
