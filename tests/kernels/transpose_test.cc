// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/transpose.h"

#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

template <class T>
class Transpose : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Transpose, Types);

TYPED_TEST(Transpose, SwapsAxesOnEverySimdTarget) {
  using T = TypeParam;
  test::for_each_target([] {
    for (Index rows : {1, 2, 3, 4, 7, 48}) {
      for (Index columns : {1, 2, 4, 5, 16, 51}) {
        const auto in = test::random_image<T>({1, 1, rows, columns + 3}, 1);
        for (kernels::Write write :
             {kernels::Write::plain, kernels::Write::add, kernels::Write::stream}) {
          const bool add = write == kernels::Write::add;
          const auto before = test::random_image<T>({1, 1, columns, rows + 2}, 2);
          Image<T> out(before.view());
          EXPECT_TRUE(kernels::transpose<T>(in.data(), columns + 3, rows, columns, out.data(),
                                            rows + 2, write));
          for (Index x = 0; x < columns; ++x) {
            for (Index y = 0; y < rows + 2; ++y) {
              const T old = before.view().at(0, 0, x, y);
              const T expected = y < rows ? in.view().at(0, 0, y, x) + (add ? old : T{0}) : old;
              EXPECT_EQ(out.view().at(0, 0, x, y), expected);
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(Transpose, SeesWhatIsNotFinite) {
  using T = TypeParam;
  test::for_each_target([] {
    for (const T bad : {static_cast<T>(NAN), static_cast<T>(INFINITY), static_cast<T>(-INFINITY)}) {
      for (Index at = 0; at < 35; ++at) {
        auto in = test::random_image<T>({1, 1, 5, 7}, 1);
        Image<T> out({1, 1, 7, 5});
        EXPECT_TRUE(kernels::transpose<T>(in.data(), 7, 5, 7, out.data(), 5));
        in.data()[at] = bad;
        EXPECT_FALSE(kernels::transpose<T>(in.data(), 7, 5, 7, out.data(), 5));
      }
    }
  });
}

}  // namespace
}  // namespace blurfield
