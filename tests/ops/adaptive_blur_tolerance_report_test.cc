// SPDX-License-Identifier: BSD-3-Clause
// What blurs with a tolerance report and refuse, and the memory they hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "blurfield/ops/uniform_blur.h"
#include "tests/support/counted_memory.h"
#include "tests/support/fields.h"
#include "tests/support/patterns.h"
#include "tests/support/ways.h"

namespace blurfield::test {
namespace {

constexpr Index kSide = 200;

Image<float> smooth_field(Index kind, Index side, double low, double high) {
  return converted<float>(pattern_field(Pattern::smooth, kind, side, side, low, high));
}

void expect_same(const BlurReport& a, const BlurReport& b) {
  EXPECT_EQ(a.exact, b.exact);
  EXPECT_EQ(a.stack, b.stack);
  EXPECT_EQ(a.residual, b.residual);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.nodes, b.nodes);
  EXPECT_EQ(a.error_bound, b.error_bound);
  EXPECT_EQ(a.truncated, b.truncated);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.seconds, b.seconds);
  EXPECT_EQ(a.exact_seconds, b.exact_seconds);
}

// A signal has no radius along y, and none is set along x.
TEST(AdaptiveBlurToleranceReport, OfSignals) {
  Image<float> sigma({1, 1, 200000});
  std::fill_n(sigma.data(), sigma.elements(), 1000.0f);
  AdaptiveBlurOptions options;
  const BlurReport exact = adaptive_blur_plan<float>(sigma.shape(), sigma, options);
  EXPECT_EQ(exact.exact, 1.0);
  EXPECT_NEAR(exact.error_bound, 4.0 * std::erfc(4.0 / std::sqrt(2.0)), 1e-12);
  options.tolerance = 1e-3;
  const BlurReport stack = adaptive_blur_plan<float>(sigma.shape(), sigma, options);
  EXPECT_FALSE(stack.truncated);
  EXPECT_GT(stack.stack, 0.99);  // a remainder of a tile may be exact
  EXPECT_LE(stack.error_bound, 1e-3);
  options.truncate = 7;
  EXPECT_FALSE(adaptive_blur_plan<float>(sigma.shape(), sigma, options).truncated);
}

TEST(AdaptiveBlurToleranceReport, SaysWhatIsDone) {
  for (const Way& way : kWays) {
    for (const bool scatter : {false, true}) {
      for (const double tolerance : {1e-2, 1e-4}) {
        const AdaptiveBlurOptions options = tolerant(way, Mode::reflect, scatter, tolerance);
        SCOPED_TRACE(text_of(way.kind, options));
        const Image<float> field = smooth_field(way.kind, kSide, 6.0, 40.0);
        const Image<float> x = random_image<float>({1, 1, kSide, kSide}, 1);
        Image<float> out(x.shape());
        const BlurReport report = adaptive_blur<float>(x, field, out, options);
        expect_same(report, adaptive_blur_plan<float>(x.shape(), field, options));
        EXPECT_NEAR(report.exact + report.stack + report.residual, 1.0, 1e-12);
        EXPECT_GE(std::min({report.exact, report.stack, report.residual}), 0.0);
        EXPECT_EQ(way.kind == 3 ? report.stack : report.residual, 0.0);
        EXPECT_GT(report.error_bound, 0.0);
        EXPECT_LE(report.error_bound, tolerance);
        EXPECT_FALSE(report.truncated);
        EXPECT_GT(report.seconds, 0.0);
        EXPECT_GT(report.exact_seconds, 0.0);
        EXPECT_TRUE(std::is_sorted(report.steps.begin(), report.steps.end()));
        const bool exact = way.method == BlurMethod::exact;
        EXPECT_EQ(report.exact == 1.0, exact);
        EXPECT_EQ(report.steps.empty(), exact);  // such sigmas have levels
        EXPECT_TRUE(report.steps.empty() || report.steps.front() > 1.0);
        EXPECT_EQ(report.stack > 0.0, report.nodes >= 2.0);
        if (way.method == BlurMethod::automatic) {
          EXPECT_LT(report.seconds, report.exact_seconds);
        }
      }
    }
  }
}

// Tile by tile the cheaper way, and levels only where the tiles gain more than they cost.
TEST(AdaptiveBlurToleranceReport, TheChoiceIsNeverExpectedToCostMoreThanExact) {
  for (const Index kind : {Index{1}, Index{2}, Index{3}}) {
    for (const Pattern pattern : kPatterns) {
      for (const double high : {0.6, 2.0, 8.0}) {
        SCOPED_TRACE(message("kind ", kind, ' ', pattern_name(pattern), " up to ", high));
        const auto field = converted<float>(pattern_field(pattern, kind, kSide, kSide, 0.3, high));
        const BlurReport report =
            adaptive_blur_plan<float>({1, 1, kSide, kSide}, field,
                                      tolerant({kind, BlurMethod::automatic}, Mode::wrap, false));
        EXPECT_LE(report.seconds, report.exact_seconds * (1.0 + 1e-12));
        EXPECT_EQ(report.seconds == report.exact_seconds, report.exact == 1.0);
        EXPECT_LE(report.error_bound, 1e-3);
      }
    }
  }
}

// Without a tolerance: the kernel that ends, whatever the method; what that costs is told.
TEST(AdaptiveBlurToleranceReport, NoToleranceIsExact) {
  for (const Index kind : {Index{1}, Index{3}}) {
    const Image<double> field = pattern_field(Pattern::smooth, kind, 40, 50, 1.0, 9.0);
    const Image<double> x = random_image<double>({1, 1, 40, 50}, 1);
    AdaptiveBlurOptions options;
    options.truncate = 4.0;
    const Image<double> expected = adaptive_blur(x, field, options);
    const auto report = adaptive_blur_plan<double>(x.shape(), field, options);
    EXPECT_EQ(report.exact, 1.0);
    EXPECT_FALSE(report.truncated);
    EXPECT_GT(report.error_bound, 1e-5);
    EXPECT_LT(report.error_bound, 1e-3);
    options.truncate.reset();
    EXPECT_TRUE(same_bits(adaptive_blur(x, field, options), expected));
    options.method = kind == 1 ? BlurMethod::stack : BlurMethod::residual;
    EXPECT_TRUE(same_bits(adaptive_blur(x, field, options), expected));
  }
}

// What a truncation costs by itself is what was asked for.
TEST(AdaptiveBlurToleranceReport, TruncationIsObeyed) {
  for (const Way& way : kWays) {
    const Image<double> field = pattern_field(Pattern::smooth, way.kind, 60, 70, 4.0, 20.0);
    const Image<double> x = random_image<double>({1, 1, 60, 70}, 1);
    AdaptiveBlurOptions options = tolerant(way, Mode::reflect, false);
    SCOPED_TRACE(text_of(way.kind, options));
    AdaptiveBlurOptions plain;
    const auto expect_exact = [&] {
      Image<double> out(x.shape());
      const BlurReport report = adaptive_blur<double>(x, field, out, options);
      EXPECT_TRUE(report.truncated);
      EXPECT_EQ(report.exact, 1.0);
      EXPECT_GT(report.error_bound, options.tolerance);
      EXPECT_TRUE(same_bits(out, adaptive_blur(x, field, plain)));
    };
    options.truncate = plain.truncate = 2.0;
    expect_exact();
    options.truncate = plain.truncate = std::nullopt;
    options.radius = plain.radius = {3};
    expect_exact();
    // Where the truncation stays within it, the tolerance rules.
    options.radius.clear();
    options.truncate = 5.0;
    const BlurReport report = adaptive_blur_plan<double>(x.shape(), field, options);
    EXPECT_FALSE(report.truncated);
    EXPECT_LE(report.error_bound, options.tolerance);
    if (way.method == BlurMethod::automatic) continue;  // on so small a frame either may be taken
    EXPECT_EQ(report.exact == 1.0, way.method == BlurMethod::exact);
  }
}

// A tolerance beyond the type's rounding means exact, with a radius to match.
TEST(AdaptiveBlurToleranceReport, TinyTolerances) {
  const Image<double> field = pattern_field(Pattern::smooth, 1, 60, 70, 4.0, 20.0);
  const Image<float> field32 = converted<float>(field);
  const Shape shape{1, 1, 60, 70};
  AdaptiveBlurOptions options = tolerant({1, BlurMethod::automatic}, Mode::reflect, false, 1e-7);
  EXPECT_EQ(adaptive_blur_plan<float>(shape, field32, options).exact, 1.0);
  EXPECT_LT(adaptive_blur_plan<float>(shape, field32, options).error_bound, 4e-6);
  options.tolerance = 1e-14;
  const BlurReport report = adaptive_blur_plan<double>(shape, field, options);
  EXPECT_EQ(report.exact, 1.0);
  EXPECT_LT(report.error_bound, 1e-12);
}

TEST(AdaptiveBlurToleranceReport, Errors) {
  const Image<float> x = random_image<float>({1, 1, 8, 9}, 1);
  const Image<float> sigma = constant_image<float>({1, 1, 8, 9}, 1.0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double tolerance : {-1e-3, 1.0, 2.0, nan, HUGE_VAL}) {
    AdaptiveBlurOptions options;
    options.tolerance = tolerance;
    EXPECT_THROW(adaptive_blur(x, sigma, options), Error) << tolerance;
    EXPECT_THROW(adaptive_blur_plan<float>(x.shape(), sigma, options), Error) << tolerance;
    Image<float> out(x.shape());
    EXPECT_THROW(adaptive_blur_vjp<float>(x, sigma, x, out, {}, options), Error);
    EXPECT_THROW(adaptive_blur_jvp<float>(x, sigma, x, {}, out, options), Error);
    const std::array gaussian{2.0};
    EXPECT_THROW(uniform_blur(x, gaussian, options), Error);
  }
  AdaptiveBlurOptions options = tolerant({1, BlurMethod::stack}, Mode::reflect, false);
  for (const float bad : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN(), HUGE_VALF}) {
    Image<float> field = constant_image<float>({1, 1, 8, 9}, 1.0);
    field.data()[40] = bad;
    EXPECT_THROW(adaptive_blur(x, field, options), Error) << bad;
    Image<float> pixels(x.view());
    pixels.data()[40] = bad;
    if (!std::isfinite(bad)) {
      EXPECT_THROW(adaptive_blur(pixels, sigma, options), Error) << bad;
    }
  }
}

// Beside image, field and result: at most two images, and 2 MB for every thread.
TEST(AdaptiveBlurToleranceReport, MemoryIsBounded) {
  constexpr Index kLarge = 1024;
  const Image<float> x = random_image<float>({1, 1, kLarge, kLarge}, 1);
  constexpr auto kImage = static_cast<std::ptrdiff_t>(kLarge * kLarge * Index{sizeof(float)});
  constexpr std::ptrdiff_t kPerThread = 2 << 20;
  Image<float> out(x.shape());
  for (const Index kind : {Index{1}, Index{2}, Index{3}}) {
    const Image<float> field = smooth_field(kind, kLarge, 3.0, 24.0);
    Image<float> grad(field.shape());
    for (const int threads : {1, 2}) {
      for (const bool scatter : {false, true}) {
        AdaptiveBlurOptions options =
            tolerant({kind, BlurMethod::automatic}, Mode::reflect, scatter);
        SCOPED_TRACE(text_of(kind, options) + message(", threads ", threads));
        options.execution.threads = threads;
        const std::ptrdiff_t most = 2 * kImage + threads * kPerThread;
        const auto forward = peak_of([&] { adaptive_blur<float>(x, field, out, options); });
        EXPECT_LE(forward, most);
        const BlurReport report = adaptive_blur_plan<float>(x.shape(), field, options);
        EXPECT_LE(forward, static_cast<std::ptrdiff_t>(report.bytes) + threads * kPerThread);
        EXPECT_LE(peak_of([&] { adaptive_blur_vjp<float>(x, field, x, out, {}, options); }), most);
        EXPECT_LE(peak_of([&] { adaptive_blur_vjp<float>(x, field, x, {}, grad, options); }), most);
      }
    }
  }
}

}  // namespace
}  // namespace blurfield::test
