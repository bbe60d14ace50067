// SPDX-License-Identifier: BSD-3-Clause
// Logchol fields to a tolerance, where their kernels are hard: any direction and aspect, lines,
// points, kernels longer than the image, and parts of a frame.
#include "blurfield/ops/detail/tolerance/residual.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/reference/adaptive_blur_reference.h"
#include "tests/reference/gaussian_row.h"
#include "tests/support/derivatives.h"
#include "tests/support/fields.h"
#include "tests/support/patterns.h"
#include "tests/support/ways.h"

namespace blurfield::test {
namespace {

Logchol theta_of(double minor, double aspect, double angle) {
  const double along = std::pow(minor * aspect, 2);
  const double across = minor * minor;
  const double s = std::sin(angle);
  const double c = std::cos(angle);
  return cov_to_logchol(
      {along * s * s + across * c * c, (along - across) * s * c, along * c * c + across * s * s});
}

Image<double> constant_field(Index height, Index width, const Logchol& theta) {
  Image<double> field({1, 3, height, width});
  const Index size = height * width;
  for (Index k = 0; k < 3; ++k) {
    std::fill_n(field.data() + k * size, size,
                static_cast<float>(theta[static_cast<std::size_t>(k)]));
  }
  return field;
}

template <class T>
double row_error(const Image<double>& field, const Pixel& pixel, const Image<double>& row,
                 const AdaptiveBlurOptions& options) {
  const Image<T> computed = computed_rows(converted<T>(field), {pixel}, options);
  double error = 0.0;
  for (Index i = 0; i < row.elements(); ++i) {
    error += std::abs(static_cast<double>(computed.data()[i]) - row.data()[i]);
  }
  return error;
}

// Minor axes of 0.3 to 20 pixels, from 1:1 to 6:1, in any direction, in every mode.
TEST(Residual, KeepsItsToleranceForEveryCovariance) {
  Random random(11);
  double residual = 0.0;
  constexpr int kTurns = 24;
  for (int turn = 0; turn < kTurns; ++turn) {
    const Index height = random.integer(60, 140);
    const Index width = random.integer(60, 140);
    const double minor = std::exp(random.uniform(std::log(0.3), std::log(20.0)));
    const double aspect = random.uniform(1.0, 6.0);
    const double angle = random.uniform(0.0, std::numbers::pi);
    const Image<double> field = constant_field(height, width, theta_of(minor, aspect, angle));
    const Pixel pixel{turn % 3 == 0 ? 0 : random.integer(0, height - 1),
                      turn % 4 == 0 ? width - 1 : random.integer(0, width - 1)};
    const Mode mode = kModes[static_cast<std::size_t>(turn) % kModes.size()];
    const Image<double> row = gaussian_row(field, pixel.y, pixel.x, mode, false);
    for (const double tolerance : {1e-2, 1e-3, 1e-4, 1e-5}) {
      const auto options = tolerant({3, BlurMethod::residual}, mode, false, tolerance);
      SCOPED_TRACE(message(text_of(3, options), ", minor axis ", minor, ", aspect ", aspect,
                           ", angle ", angle, " at ", pixel.y, ", ", pixel.x, " of ", height, "x",
                           width));
      const BlurReport report = adaptive_blur_plan<double>({1, 1, height, width}, field, options);
      EXPECT_LE(report.error_bound, tolerance);
      residual += report.residual / 4.0;
      EXPECT_LE(row_error<double>(field, pixel, row, options), report.error_bound);
      EXPECT_LE(row_error<float>(field, pixel, row, options), report.error_bound + 2e-6);
    }
  }
  EXPECT_GT(residual, 0.9 * kTurns);
}

// Fields whose kernels are lines, points and blots, side by side, on small and on large images.
TEST(Residual, DegenerateCovariances) {
  Random random(3);
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{1, 1, 1, 23}, Shape{1, 1, 20, 1},
                             Shape{1, 1, 9, 7}, Shape{1, 2, 13, 31}}) {
    Image<double> field({1, 3, shape[2], shape[3]});
    const Index size = shape[2] * shape[3];
    for (Index i = 0; i < size; ++i) {
      const double a = random.uniform(-9.0, 1.4);
      field.data()[i] = static_cast<float>(a);
      field.data()[size + i] = static_cast<float>(random.normal() * (i % 3 == 0 ? 5.0 : 1.0));
      field.data()[2 * size + i] = static_cast<float>(random.uniform(-9.0, 1.4));
    }
    const Image<double> x = random_field<double>(shape, -1.0, 1.0, 4);
    for (const Mode mode : kModes) {
      for (const bool scatter : {false, true}) {
        AdaptiveBlurOptions options = tolerant({3, BlurMethod::residual}, mode, scatter, 1e-4);
        SCOPED_TRACE(shape.text() + " " + text_of(3, options));
        const Image<double> out = adaptive_blur(x, field, options);
        EXPECT_GT(adaptive_blur_plan<double>(shape, field, options).residual, 0.9);
        AdaptiveBlurOptions exact;
        exact.extension = options.extension;
        exact.scatter = scatter;
        exact.truncate = 6.5;
        const Image<double> expected = adaptive_blur_reference(x, field, exact);
        // Copies of a border pixel under Mode::nearest add up their errors.
        const double copies = scatter && mode == Mode::nearest ? 100.0 : 1.0;
        for (Index i = 0; i < x.elements(); ++i) {
          EXPECT_NEAR(out.data()[i], expected.data()[i], copies * 1e-4) << i;
        }
        const Image<float> out32 =
            adaptive_blur(converted<float>(x), converted<float>(field), options);
        EXPECT_LT(distance(out32, out), 1e-5);
      }
    }
  }
}

// Copies of a source beyond a reflecting border have their kernels turned over.
TEST(Residual, TurnedCopiesOfSources) {
  const Shape shape{1, 1, 60, 70};
  const Image<double> field = constant_field(60, 70, theta_of(3.0, 4.0, 0.7));
  for (const Mode mode : {Mode::mirror, Mode::reflect}) {
    const auto options = tolerant({3, BlurMethod::residual}, mode, true, 1e-6);
    for (const Pixel& pixel : {Pixel{2, 3}, Pixel{58, 30}, Pixel{1, 69}}) {
      const Image<double> row = gaussian_row(field, pixel.y, pixel.x, mode, true);
      EXPECT_LT(row_error<double>(field, pixel, row, options), 2e-6);
      EXPECT_EQ(adaptive_blur_plan<double>(shape, field, options).residual, 1.0);
    }
  }
}

// Passes over tiles and over the rest add up to the pass over the frame.
TEST(Residual, TilesAreComputedApart) {
  const Index height = 2 * detail::kTileSide + 20;
  const Index width = detail::kTileSide + 31;
  const Shape shape{1, 2, height, width};
  const Image<double> params = pattern_field(Pattern::smooth, 3, height, width, 0.5, 20.0);
  const Image<double> x = random_image<double>(shape, 1);
  AdaptiveBlurOptions options = tolerant({3, BlurMethod::residual}, Mode::mirror, false);
  for (const auto belongs : {detail::Belongs::to_output, detail::Belongs::to_source}) {
    const detail::AdaptiveField<double> field{params, &options, belongs, Mode::mirror};
    const detail::Ladder ladder(1e-3);
    const auto plan = detail::residual_tiles(field, 0, ladder);
    detail::TileSet all(height, width);
    detail::TileSet some = all;
    detail::TileSet rest = all;
    for (Index i = 0; i < all.count(); ++i) {
      ASSERT_TRUE(plan[static_cast<std::size_t>(i)].feasible);
      all.add(i);
      (i % 2 == 0 ? some : rest).add(i);
    }
    const auto gathered = [&](const detail::TileSet& tiles, Image<double>& out) {
      detail::residual_gather<double>(field, 0, ladder, plan, tiles, {.src = x, .out = out}, {});
    };
    const auto spread = [&](const detail::TileSet& tiles, Image<double>& out) {
      detail::residual_spread<double>(field, 0, ladder, plan, tiles, {.value = x, .out = out}, {});
    };
    Image<double> whole(shape);
    gathered(all, whole);
    Image<double> parts = constant_image<double>(shape, 9.0);
    gathered(some, parts);
    EXPECT_EQ(parts.view().at(0, 1, 0, width - 1), 9.0);
    EXPECT_NE(parts.view().at(0, 1, 0, 0), 9.0);
    gathered(rest, parts);
    EXPECT_LT(distance(parts, whole), 1e-13);
    Image<double> whole_spread(shape);
    spread(all, whole_spread);
    Image<double> parts_spread(shape);
    spread(some, parts_spread);
    spread(rest, parts_spread);
    EXPECT_LT(distance(parts_spread, whole_spread), 1e-13);
  }
}

// Kernels that want more beyond the frame than levels are made for are computed exactly.
TEST(Residual, RefusesKernelsFarLongerThanTheImage) {
  AdaptiveBlurOptions options = tolerant({3, BlurMethod::residual}, Mode::wrap, false);
  const Image<double> line = constant_field(12, 12, theta_of(4.0, 500.0, 0.0));
  EXPECT_EQ(adaptive_blur_plan<double>({1, 1, 12, 12}, line, options).exact, 1.0);
  const Image<double> x = random_field<double>({1, 1, 12, 12}, -1.0, 1.0, 1);
  AdaptiveBlurOptions exact;
  exact.extension.mode = Mode::wrap;
  exact.truncate = 6.0;
  EXPECT_LT(distance(adaptive_blur(x, line, options), adaptive_blur(x, line, exact)), 1e-3);
  // Beyond a frame of zeros there is nothing to read.
  options.extension.mode = Mode::constant;
  EXPECT_EQ(adaptive_blur_plan<double>({1, 1, 12, 12}, line, options).residual, 1.0);
  exact.extension.mode = Mode::constant;
  EXPECT_LT(distance(adaptive_blur(x, line, options), adaptive_blur(x, line, exact)), 1e-3);
}

}  // namespace
}  // namespace blurfield::test
