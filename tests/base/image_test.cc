// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/base/image.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>

namespace blurfield {
namespace {

Image<int> counted(const Shape& shape) {
  Image<int> image(shape);
  std::iota(image.data(), image.data() + image.elements(), 0);
  return image;
}

TEST(Shape, CountsItsElements) {
  EXPECT_EQ(Shape{}.elements(), 0);
  EXPECT_EQ((Shape{2, 3, 4, 5}).elements(), 120);
  EXPECT_EQ((Shape{2, 0, 4}).elements(), 0);
  EXPECT_EQ((Shape{1, 3, 512, 640}).text(), "(1, 3, 512, 640)");
  EXPECT_NE((Shape{1, 2}), (Shape{1, 2, 1}));
  EXPECT_EQ((Shape{1, 2, 3, 4, 5, 6, 7, 8}).rank(), kMaxRank);
  EXPECT_THROW((Shape{1, 2, 3, 4, 5, 6, 7, 8, 9}), Error);
}

TEST(View, IsRowMajor) {
  Image<int> image = counted({2, 3, 4, 5});
  const View<int> view = image;
  EXPECT_EQ(view.at(0, 0, 0, 0), 0);
  EXPECT_EQ(view.at(1, 2, 3, 4), 119);
  EXPECT_EQ(view.at(1, 0, 2, 3), 60 + 2 * 5 + 3);
  EXPECT_EQ(view.row(0, 1, 0), image.data() + 20);
  EXPECT_EQ(view.height(), 4);
  EXPECT_EQ(view.width(), 5);
}

TEST(View, ASignalHasHeightOneAndAVolumeThreeAxes) {
  Image<int> signal = counted({2, 3, 7});
  EXPECT_EQ(signal.view().spatial_rank(), 1);
  EXPECT_EQ(signal.view().height(), 1);
  EXPECT_EQ(signal.view().at(1, 2, 0, 6), 41);
  Image<int> volume = counted({1, 2, 3, 4, 5});
  EXPECT_EQ(volume.view().spatial_rank(), 3);
  EXPECT_EQ(volume.view().stride[2], 20);
}

TEST(View, StridesMayBeNegativeOrZero) {
  Image<int> image = counted({1, 1, 3, 4});
  const View<const int> upside_down(image.data() + 8, {1, 1, 3, 4}, {12, 12, -4, 1});
  EXPECT_EQ(upside_down.at(0, 0, 0, 1), 9);
  EXPECT_EQ(upside_down.at(0, 0, 2, 3), 3);
  const View<const int> broadcast(image.data(), {5, 1, 3, 4}, {0, 12, 4, 1});
  EXPECT_EQ(broadcast.at(4, 0, 1, 2), image.view().at(0, 0, 1, 2));
}

TEST(View, WritableConvertsToReadableOnly) {
  EXPECT_TRUE((std::is_convertible_v<View<float>, View<const float>>));
  EXPECT_FALSE((std::is_convertible_v<View<const float>, View<float>>));
}

TEST(Image, IsBornZeroAndAligned) {
  const Image<double> image({1, 3, 17, 13});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(image.data()) % 64, 0U);
  for (Index i = 0; i < image.elements(); ++i) ASSERT_EQ(image.data()[i], 0.0);
  EXPECT_TRUE(Image<double>().empty());
}

TEST(Image, RejectsANegativeExtent) {
  try {
    Image<float>({1, 1, -2, 4});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "Image: expected extents >= 0, got (1, 1, -2, 4)");
  }
}

TEST(Image, MovesWithoutCopy) {
  Image<int> image = counted({1, 1, 2, 2});
  const int* pixels = image.data();
  const Image<int> moved = std::move(image);
  EXPECT_EQ(moved.data(), pixels);
  EXPECT_EQ(moved.data()[3], 3);
}

TEST(Image, PacksAStridedView) {
  Image<int> image = counted({1, 1, 4, 6});
  // Every second column of the rows from the bottom up.
  const Image<int> packed(View<const int>(image.data() + 18, {1, 1, 4, 3}, {24, 24, -6, 2}));
  EXPECT_EQ(packed.shape(), (Shape{1, 1, 4, 3}));
  for (Index y = 0; y < 4; ++y) {
    for (Index x = 0; x < 3; ++x) EXPECT_EQ(packed.view().at(0, 0, y, x), (3 - y) * 6 + 2 * x);
  }
}

TEST(Copy, RefusesAnotherShape) {
  Image<int> to({1, 1, 2, 3});
  const Image<int> from({1, 1, 3, 2});
  EXPECT_THROW(copy<int>(from, to), Error);
}

TEST(Copy, TakesEmptyViews) {
  Image<int> to({1, 0, 2, 3});
  const Image<int> from({1, 0, 2, 3});
  EXPECT_NO_THROW(copy<int>(from, to));
}

RC_GTEST_PROP(CopyProperty, MovesEveryPixelAndNothingElse, ()) {
  const auto extent = rc::gen::inRange<Index>(1, 6);
  const Shape shape{*extent, *extent, *extent, *extent};
  // A window in the middle of a larger image, its columns mirrored.
  Image<int> large({shape[0], shape[1], shape[2] + 2, shape[3] + 2});
  std::fill_n(large.data(), large.elements(), -1);
  View<int> window = large;
  window.shape = shape;
  window.data += large.view().stride[2] + shape[3];
  window.stride[3] = -1;
  const Image<int> source = counted(shape);
  copy<int>(source, window);
  for (Index n = 0; n < shape[0]; ++n) {
    for (Index c = 0; c < shape[1]; ++c) {
      for (Index y = 0; y < shape[2] + 2; ++y) {
        for (Index x = 0; x < shape[3] + 2; ++x) {
          const bool inside = y >= 1 && y <= shape[2] && x >= 1 && x <= shape[3];
          const int want = inside ? source.view().at(n, c, y - 1, shape[3] - x) : -1;
          RC_ASSERT(large.view().at(n, c, y, x) == want);
        }
      }
    }
  }
}

TEST(Image, ShapesBeyondAnyMemoryAreErrors) {
  const Index huge = Index{1} << 32;
  EXPECT_THROW(Image<float>({huge, huge}), Error);
  EXPECT_THROW(Image<double>({Index{1} << 61}), Error);
}

TEST(Image, AMoveLeavesNothingBehind) {
  Image<float> from({2, 3});
  const Image<float> to = std::move(from);
  EXPECT_EQ(to.shape(), (Shape{2, 3}));
  EXPECT_EQ(from.shape(), Shape());  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(from.empty());         // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace blurfield
