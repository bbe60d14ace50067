// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/row_products.h"

#include <vector>

#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

template <class T>
class RowProducts : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RowProducts, Types);

TYPED_TEST(RowProducts, SumsProductsOnEverySimdTarget) {
  using T = TypeParam;
  test::for_each_target([] {
    for (Index count : {0, 1, 3, 8, 64}) {
      for (Index width : {1, 3, 8, 17, 64, 131}) {
        // Rows of exactly `width` elements: a read beyond them is an error under sanitizers.
        std::vector<Image<T>> rows;
        std::vector<const T*> a;
        std::vector<const T*> b;
        for (Index i = 0; i < 2 * count; ++i) {
          rows.push_back(test::random_image<T>({width}, static_cast<std::uint64_t>(i)));
          (i < count ? a : b).push_back(rows.back().data());
        }
        const auto before = test::random_image<T>({width + 1}, 99);
        for (bool add : {false, true}) {
          Image<T> out(before.view());
          kernels::sum_products(a.data(), b.data(), count, width, add, out.data());
          for (Index x = 0; x < width; ++x) {
            double sum = add ? static_cast<double>(before.data()[x]) : 0.0;
            for (std::size_t t = 0; t < a.size(); ++t) {
              sum += static_cast<double>(a[t][x]) * static_cast<double>(b[t][x]);
            }
            ASSERT_NEAR(static_cast<double>(out.data()[x]), sum, sizeof(T) == 4 ? 2e-5 : 1e-13)
                << count << " rows, column " << x << " of " << width;
          }
          EXPECT_EQ(out.data()[width], before.data()[width]) << "wrote beyond the end";
        }
      }
    }
  });
}

}  // namespace
}  // namespace blurfield
