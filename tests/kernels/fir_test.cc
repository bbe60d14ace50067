// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/fir.h"

#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

using kernels::kFirRows;
using kernels::kFirSlack;

// The slow twin, in double.
template <class T>
double expected(const kernels::RowSums<T>& sums, Index j, Index x) {
  double sum = 0.0;
  for (Index i = 0; i < sums.count; ++i) {
    sum +=
        static_cast<double>(sums.weights[i + j * sums.step]) * static_cast<double>(sums.rows[i][x]);
  }
  return sum;
}

template <class T>
void expect_sums(const kernels::RowSums<T>& sums, Index begin, Index end) {
  const Index stride = end - begin + kFirSlack + 1;
  Image<T> room({1, 1, kFirRows, stride});
  T* out = room.data() + kFirSlack;
  kernels::fir_rows(sums, begin, end, out, stride);
  double worst = 0.0;
  for (Index j = 0; j < kFirRows; ++j) {
    for (Index x = begin; x < end; ++x) {
      const double gap =
          std::abs(static_cast<double>(out[j * stride + x - begin]) - expected(sums, j, x));
      worst = std::max(worst, gap);
    }
    EXPECT_EQ(out[j * stride + end - begin], T{0}) << "wrote beyond the end";
  }
  EXPECT_LT(worst, sizeof(T) == 4 ? 2e-5 : 1e-13)
      << sums.count << " rows, " << begin << ".." << end;
}

template <class T>
class FirRows : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(FirRows, Types);

TYPED_TEST(FirRows, SumsRowsOnEverySimdTarget) {
  using T = TypeParam;
  test::for_each_target([] {
    for (Index count : {1, 5, 6, 7, 64, 65, 200}) {
      for (Index width : {1, 3, 8, 17, 48, 100}) {
        // Rows of exactly `width` elements: a read beyond them is an error under sanitizers.
        std::vector<Image<T>> images;
        std::vector<const T*> rows;
        for (Index i = 0; i < count; ++i) {
          images.push_back(test::random_image<T>({width}, static_cast<std::uint64_t>(i)));
          rows.push_back(images.back().data());
        }
        const auto table = test::random_image<T>({kFirRows * count}, 9);
        for (Index begin : {Index{0}, width / 2}) {
          expect_sums<T>({rows.data(), count, table.data(), count, 0}, begin, width);
        }
        const Index band = count - kFirRows + 1;
        if (band < 1) continue;
        Image<T> taps({band + 2 * (kFirRows - 1)});
        std::copy_n(table.data(), band, taps.data() + kFirRows - 1);
        expect_sums<T>({rows.data(), count, taps.data() + kFirRows - 1, -1, band}, 0, width);
      }
    }
  });
}

}  // namespace
}  // namespace blurfield
