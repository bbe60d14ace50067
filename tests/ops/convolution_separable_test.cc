// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <cmath>

#include "blurfield/ops/detail/convolution/separable.h"
#include "tests/support/images.h"

namespace blurfield::detail {
namespace {

template <class T>
class Separate : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Separate, Types);

// The sum of `rank` random separable terms.
template <class T>
Image<T> kernel_of_rank(Index rank, Index kh, Index kw) {
  const auto columns = test::random_image<double>({rank, kh}, 1);
  const auto rows = test::random_image<double>({rank, kw}, 2);
  Image<T> kernel({kh, kw});
  for (Index i = 0; i < kh; ++i) {
    for (Index j = 0; j < kw; ++j) {
      double sum = 0.0;
      for (Index r = 0; r < rank; ++r) sum += columns.data()[r * kh + i] * rows.data()[r * kw + j];
      kernel.data()[i * kw + j] = static_cast<T>(sum);
    }
  }
  return kernel;
}

TYPED_TEST(Separate, FindsTheRankAndTheTerms) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 8 ? 1e-13 : 1e-5;
  for (const auto& [kh, kw] : {std::pair<Index, Index>{9, 9}, {4, 13}, {13, 6}, {1, 5}, {7, 1}}) {
    for (Index rank = 1; rank <= std::min({kh, kw, Index{4}}); ++rank) {
      const auto kernel = kernel_of_rank<T>(rank, kh, kw);
      const auto terms = separate(kernel.data(), kh, kw);
      EXPECT_EQ(terms.rank, rank) << kh << "x" << kw;
      EXPECT_EQ(rank_up_to(kernel.data(), kh, kw, 100), rank);
      EXPECT_EQ(rank_up_to(kernel.data(), kh, kw, rank), rank);
      EXPECT_EQ(rank_up_to(kernel.data(), kh, kw, rank - 1), rank);
      for (Index i = 0; i < kh; ++i) {
        for (Index j = 0; j < kw; ++j) {
          double sum = 0.0;
          for (Index r = 0; r < terms.rank; ++r) {
            sum += terms.columns[static_cast<std::size_t>(r * kh + i)] *
                   terms.rows[static_cast<std::size_t>(r * kw + j)];
          }
          EXPECT_NEAR(sum, static_cast<double>(kernel.data()[i * kw + j]), 10 * tolerance);
        }
      }
    }
  }
}

TYPED_TEST(Separate, TakesRandomKernelsAsFullRank) {
  const auto kernel = test::random_image<TypeParam>({12, 17}, 3);
  EXPECT_EQ(separate(kernel.data(), 12, 17).rank, 12);
  EXPECT_EQ(rank_up_to(kernel.data(), 12, 17, 100), 12);
  EXPECT_EQ(rank_up_to(kernel.data(), 12, 17, 5), 6);
}

TYPED_TEST(Separate, KnowsLargeKernelsOfLowRank) {
  const auto kernel = kernel_of_rank<TypeParam>(2, 127, 63);
  EXPECT_EQ(separate(kernel.data(), 127, 63).rank, 2);
  EXPECT_EQ(rank_up_to(kernel.data(), 127, 63, 100), 2);
}

TYPED_TEST(Separate, DoesNotDependOnTheScale) {
  const TypeParam extreme =
      sizeof(TypeParam) == 8 ? static_cast<TypeParam>(1e200) : TypeParam{1e30F};
  for (const TypeParam scale : {extreme, 1 / extreme}) {
    auto kernel = test::random_image<TypeParam>({12, 17}, 3);
    for (Index i = 0; i < kernel.elements(); ++i) kernel.data()[i] *= scale;
    EXPECT_EQ(separate(kernel.data(), 12, 17).rank, 12);
    EXPECT_EQ(rank_up_to(kernel.data(), 12, 17, 100), 12);
  }
}

TYPED_TEST(Separate, KeepsOneTermOfAKernelOfZeros) {
  const Image<TypeParam> kernel({3, 4});
  const auto terms = separate(kernel.data(), 3, 4);
  EXPECT_EQ(terms.rank, 1);
  for (double v : terms.columns) EXPECT_EQ(v, 0.0);
  EXPECT_EQ(rank_up_to(kernel.data(), 3, 4, 5), 1);
}

}  // namespace
}  // namespace blurfield::detail
