// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/base/extension.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <vector>

namespace blurfield {
namespace {

constexpr Mode kModes[] = {Mode::reflect, Mode::mirror, Mode::nearest, Mode::constant, Mode::wrap};

struct Place {
  Index at = 0;
  bool reversed = false;
};

// The definition, walked pixel by pixel from 0 to i.
Place walk(Index i, Index n, Mode mode) {
  const Index forward = i < 0 ? -1 : 1;
  Index step = forward;
  Index at = 0;
  for (Index walked = 0; walked != i; walked += forward) {
    const Index next = at + step;
    if (next >= 0 && next < n) {
      at = next;
      continue;
    }
    switch (mode) {
      case Mode::reflect:
        step = -step;
        break;
      case Mode::mirror:
        step = -step;
        if (n > 1) at += step;
        break;
      case Mode::nearest:
        break;
      case Mode::wrap:
        at = next < 0 ? n - 1 : 0;
        break;
      case Mode::constant:
        return {-1, false};
    }
  }
  return {at, step != forward};
}

TEST(Extension, FollowsTheDefinition) {
  for (const Mode mode : kModes) {
    for (Index n = 1; n <= 9; ++n) {
      for (Index i = -50; i <= 50; ++i) {
        EXPECT_EQ(extend(i, n, mode), walk(i, n, mode).at)
            << mode_name(mode) << " " << i << "/" << n;
      }
    }
  }
}

TEST(Extension, ReversedWhereTheWalkRunsBackwards) {
  for (const Mode mode : kModes) {
    for (Index n = 1; n <= 9; ++n) {
      for (Index i = -50; i <= 50; ++i) {
        const Place place = walk(i, n, mode);
        // The pixels that a mirror turns on belong to the even copies.
        const bool turning = mode == Mode::mirror && (place.at == 0 || place.at == n - 1);
        EXPECT_EQ(reversed(i, n, mode), place.reversed && !turning)
            << mode_name(mode) << " " << i << "/" << n;
      }
    }
  }
}

TEST(Extension, WordsMeanWhatTheyMeanInSciPy) {
  const auto line = [](Mode mode) {
    std::vector<Index> read;
    for (Index i = -4; i < 8; ++i) read.push_back(extend(i, 4, mode));
    return read;
  };
  EXPECT_EQ(line(Mode::reflect), (std::vector<Index>{3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0}));
  EXPECT_EQ(line(Mode::mirror), (std::vector<Index>{2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1}));
  EXPECT_EQ(line(Mode::nearest), (std::vector<Index>{0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3}));
  EXPECT_EQ(line(Mode::constant), (std::vector<Index>{-1, -1, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1}));
  EXPECT_EQ(line(Mode::wrap), (std::vector<Index>{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}));
}

TEST(Extension, NamesRoundTrip) {
  for (const Mode mode : kModes) EXPECT_EQ(parse_mode(mode_name(mode)), mode);
  EXPECT_EQ(parse_mode("symmetric"), std::nullopt);
  EXPECT_EQ(parse_mode(""), std::nullopt);
}

TEST(Extension, ReadsFarAwayIndicesInsideTheAxis) {
  constexpr Index kFar = std::numeric_limits<Index>::max() / 4;
  for (const Mode mode : {Mode::reflect, Mode::mirror, Mode::nearest, Mode::wrap}) {
    for (const Index n : {Index{1}, Index{2}, Index{1000003}}) {
      for (const Index i : {-kFar, kFar}) {
        EXPECT_GE(extend(i, n, mode), 0);
        EXPECT_LT(extend(i, n, mode), n);
      }
    }
  }
  EXPECT_EQ(extend(-kFar, 7, Mode::constant), -1);
}

RC_GTEST_PROP(ExtensionProperty, RepeatsWithItsPeriod, ()) {
  const auto n = *rc::gen::inRange<Index>(1, 200);
  const auto i = *rc::gen::inRange<Index>(-100000, 100000);
  RC_ASSERT(extend(i, n, Mode::wrap) == extend(i + n, n, Mode::wrap));
  RC_ASSERT(extend(i, n, Mode::reflect) == extend(i + 2 * n, n, Mode::reflect));
  RC_ASSERT(extend(i, n, Mode::mirror) == extend(i + 2 * n - 2, n, Mode::mirror));
}

RC_GTEST_PROP(ExtensionProperty, IsSymmetricAboutTheBorder, ()) {
  const auto n = *rc::gen::inRange<Index>(1, 200);
  const auto i = *rc::gen::inRange<Index>(0, 100000);
  RC_ASSERT(extend(i, n, Mode::reflect) == extend(-1 - i, n, Mode::reflect));
  RC_ASSERT(extend(i, n, Mode::mirror) == extend(-i, n, Mode::mirror));
}

}  // namespace
}  // namespace blurfield
