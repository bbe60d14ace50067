// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/complex_transpose.h"

#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

template <class T>
class ComplexTranspose : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ComplexTranspose, Types);

TYPED_TEST(ComplexTranspose, SwapsAxesOnEverySimdTarget) {
  using T = TypeParam;
  test::for_each_target([] {
    for (Index rows : {1, 2, 3, 4, 7, 8, 31}) {
      for (Index columns : {1, 2, 3, 4, 5, 8, 17}) {
        Image<std::complex<T>> from({rows, columns + 3});
        for (Index i = 0; i < from.elements(); ++i) {
          from.data()[i] = {static_cast<T>(i), static_cast<T>(-i)};
        }
        Image<std::complex<T>> to({columns, rows + 2});
        kernels::transpose(from.data(), columns + 3, rows, columns, to.data(), rows + 2);
        for (Index x = 0; x < columns; ++x) {
          for (Index y = 0; y < rows + 2; ++y) {
            const std::complex<T> expected =
                y < rows ? from.data()[y * (columns + 3) + x] : std::complex<T>{};
            EXPECT_EQ(to.data()[x * (rows + 2) + y], expected) << rows << " x " << columns;
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace blurfield
