// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace blurfield {
namespace {

TEST(Random, IsTheSameOnEveryPlatform) {
  Random uniform(1);
  for (const double want : {0.13387664401253263, 0.13640703636619722, 0.4512149038445381}) {
    EXPECT_EQ(uniform.uniform(), want);
  }
  Random normal(1);
  for (const double want : {0.35099249780849107, 1.0859449105047105, 0.789188776110496}) {
    EXPECT_NEAR(normal.normal(), want, 1e-14);
  }
}

TEST(Random, SeedsDiffer) {
  EXPECT_NE(Random(1).uniform(), Random(2).uniform());
  EXPECT_EQ(Random(2).uniform(), Random(2).uniform());
}

TEST(Random, UniformFillsItsRange) {
  Random random(2);
  constexpr int kCount = 100000;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kCount; ++i) {
    const double u = random.uniform(-1.0, 3.0);
    ASSERT_GE(u, -1.0);
    ASSERT_LT(u, 3.0);
    sum += u;
    squares += u * u;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 1.0, 0.02);
  EXPECT_NEAR(squares / kCount - mean * mean, 16.0 / 12.0, 0.02);
}

TEST(Random, IntegersAreEvenAndInclusive) {
  Random random(3);
  std::array<int, 5> seen{};
  for (int i = 0; i < 50000; ++i) ++seen.at(static_cast<std::size_t>(random.integer(-2, 2) + 2));
  for (const int count : seen) EXPECT_NEAR(count, 10000, 500);
  EXPECT_EQ(random.integer(7, 7), 7);
}

TEST(Random, NormalHasItsMoments) {
  Random random(4);
  constexpr int kCount = 200000;
  std::array<double, 5> moment{};
  for (int i = 0; i < kCount; ++i) {
    const double z = random.normal();
    ASSERT_TRUE(std::isfinite(z));
    for (std::size_t k = 1; k < moment.size(); ++k) {
      moment[k] += std::pow(z, static_cast<double>(k)) / kCount;
    }
  }
  EXPECT_NEAR(moment[1], 0.0, 0.01);
  EXPECT_NEAR(moment[2], 1.0, 0.02);
  EXPECT_NEAR(moment[3], 0.0, 0.05);
  EXPECT_NEAR(moment[4], 3.0, 0.15);
}

}  // namespace
}  // namespace blurfield
