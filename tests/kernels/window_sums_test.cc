// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/window_sums.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield::kernels {
namespace {

template <class T>
class WindowSumsTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(WindowSumsTest, Types);

// Rows, weights and offsets for any numbers of planes, columns and taps.
template <class T>
struct Data {
  Data(Index planes, Index columns, Index taps, Index width, Index extra)
      : row_size(width + 3 * columns),
        rows_of(taps + extra),
        pixels(test::random_image<T>({1, planes, rows_of, row_size}, 1)),
        weights(test::random_image<T>({1, planes, columns, taps}, 2)) {
    for (Index j = 0; j < columns; ++j) offsets.push_back(3 * j % (3 * columns));
    for (Index i = 0; i < planes * rows_of; ++i) rows.push_back(pixels.data() + i * row_size);
    sums = {rows.data(), weights.data(), offsets.data(), planes, columns, taps};
  }
  double at(Index r, Index x) const {
    double sum = 0.0;
    for (Index p = 0; p < sums.planes; ++p) {
      for (Index j = 0; j < sums.columns; ++j) {
        for (Index i = 0; i < sums.taps; ++i) {
          sum += static_cast<double>(weights.data()[(p * sums.columns + j) * sums.taps + i]) *
                 static_cast<double>(rows[static_cast<std::size_t>(p * rows_of + r + i)]
                                         [offsets[static_cast<std::size_t>(j)] + x]);
        }
      }
    }
    return sum;
  }

  Index row_size;
  Index rows_of;
  Image<T> pixels;
  Image<T> weights;
  std::vector<Index> offsets;
  std::vector<const T*> rows;
  WindowSums<T> sums;
};

TYPED_TEST(WindowSumsTest, MatchTheSumsOnEveryTarget) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-4;
  for (Index taps : {1, 2, 3, 4, 5, 6, 9, 64, 131}) {
    for (Index columns : {1, 2, 7}) {
      for (Index planes : {1, 3}) {
        for (Index width : {16, 17, 47, 48, 150}) {
          const Data<T> six(planes, columns, taps, width, kWindowRows - 1);
          const Data<T> one(planes, columns, taps, width, 0);
          test::for_each_target([&] {
            Image<T> out({1, 1, kWindowRows, width + 5});
            EXPECT_TRUE(six_rows(six.sums, width, out.data(), width + 5));
            for (Index r = 0; r < kWindowRows; ++r) {
              for (Index x = 0; x < width; ++x) {
                ASSERT_NEAR(static_cast<double>(out.view().at(0, 0, r, x)), six.at(r, x), tolerance)
                    << taps << " " << columns << " " << planes << " " << width;
              }
              for (Index x = width; x < width + 5; ++x) ASSERT_EQ(out.view().at(0, 0, r, x), 0);
            }
            EXPECT_TRUE(one_row(one.sums, width, out.data()));
            for (Index x = 0; x < width; ++x) {
              ASSERT_NEAR(static_cast<double>(out.data()[x]), one.at(0, x), tolerance);
            }
          });
        }
      }
    }
  }
}

TYPED_TEST(WindowSumsTest, TellWhatIsNotFinite) {
  using T = TypeParam;
  for (Index taps : {3, 8, 100}) {
    for (const T bad : {std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
      for (Index x : {0, 20, 49}) {
        Data<T> data(1, 1, taps, 50, kWindowRows - 1);
        data.pixels.view().at(0, 0, kWindowRows - 1, x) = bad;
        test::for_each_target([&] {
          Image<T> out({1, 1, kWindowRows, 50});
          EXPECT_FALSE(six_rows(data.sums, 50, out.data(), 50)) << taps << " " << x;
        });
      }
    }
  }
}

}  // namespace
}  // namespace blurfield::kernels
