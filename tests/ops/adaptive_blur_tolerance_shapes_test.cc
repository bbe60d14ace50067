// SPDX-License-Identifier: BSD-3-Clause
// Blurs with a tolerance of any size, batch, stride and number of threads.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/reference/gaussian_row.h"
#include "tests/support/fields.h"
#include "tests/support/patterns.h"
#include "tests/support/ways.h"

namespace blurfield::test {
namespace {

TEST(AdaptiveBlurToleranceShapes, FlatImagesStayFlat) {
  for (const Way& way : kWays) {
    for (const Mode mode : kModes) {
      for (const Pattern pattern : {Pattern::smooth, Pattern::steps, Pattern::noise}) {
        AdaptiveBlurOptions options = tolerant(way, mode, false);
        options.extension.cval = 3.0;  // of Mode::constant: what stands everywhere
        SCOPED_TRACE(text_of(way.kind, options) + ' ' + pattern_name(pattern));
        const Image<double> field = pattern_field(pattern, way.kind, 101, 99, 0.5, 30.0);
        const auto flat = constant_image<double>({1, 1, 101, 99}, 3.0);
        EXPECT_LT(distance(adaptive_blur(flat, field, options), flat), 1e-12);
        EXPECT_LT(
            distance(adaptive_blur(converted<float>(flat), converted<float>(field), options), flat),
            1e-5);
      }
    }
  }
}

// Under wrap every source's kernel is whole.
TEST(AdaptiveBlurToleranceShapes, ScatterKeepsMass) {
  for (const Way& way : kWays) {
    const AdaptiveBlurOptions options = tolerant(way, Mode::wrap, true);
    SCOPED_TRACE(text_of(way.kind, options));
    const Image<double> field = pattern_field(Pattern::steps, way.kind, 100, 131, 0.5, 30.0);
    const Image<double> x = random_field<double>({1, 1, 100, 131}, 0, 1, 1);
    const auto ones = constant_image<double>(x.shape(), 1.0);
    EXPECT_NEAR(inner(adaptive_blur(x, field, options), ones) / inner(x, ones), 1.0, 1e-12);
  }
}

// Any size, also where kernels are much larger than the image: every row of each.
TEST(AdaptiveBlurToleranceShapes, AnySize) {
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{1, 1, 1, 5}, Shape{1, 1, 7, 1}, Shape{1, 1, 2, 97},
        Shape{1, 1, 97, 2}, Shape{1, 1, 9, 14}, Shape{1, 1, 1, 191}, Shape{1, 1, 191, 3}}) {
    for (const Way& way : kWays) {
      if (way.method == BlurMethod::exact) continue;
      for (const bool scatter : {false, true}) {
        for (const Mode mode : kModes) {
          const AdaptiveBlurOptions options = tolerant(way, mode, scatter, 1e-4);
          SCOPED_TRACE(shape.text() + ' ' + text_of(way.kind, options));
          const Image<double> field =
              pattern_field(Pattern::noise, way.kind, shape[2], shape[3], 0.5, 24.0);
          std::vector<Pixel> pixels;
          const Index count = std::min<Index>(field.view().height() * field.view().width(), 6);
          for (Index i = 0; i < count; ++i) {
            const Index at = i * (shape.elements() - 1) / std::max<Index>(count - 1, 1);
            pixels.push_back({at / shape[3], at % shape[3]});
          }
          const Image<double> rows = computed_rows(field, pixels, options);
          for (Index i = 0; i < count; ++i) {
            const Pixel& p = pixels[static_cast<std::size_t>(i)];
            const Image<double> row = gaussian_row(field, p.y, p.x, mode, scatter);
            double error = 0.0;
            double mass = 0.0;
            for (Index q = 0; q < row.elements(); ++q) {
              error += std::abs(rows.data()[i * row.elements() + q] - row.data()[q]);
              mass += row.data()[q];
            }
            // Border sources of nearest stand for many.
            const double share = scatter && mode == Mode::nearest ? 4.0 : 1.0;
            EXPECT_LE(error, 1e-4 * share * std::max(1.0, mass)) << "at " << p.y << ", " << p.x;
          }
        }
      }
    }
  }
}

TEST(AdaptiveBlurToleranceShapes, Signals) {
  for (const Index length : {1, 2, 30, 97, 400}) {
    for (const Mode mode : kModes) {
      for (const bool scatter : {false, true}) {
        const AdaptiveBlurOptions options = tolerant({1, BlurMethod::stack}, mode, scatter, 1e-4);
        SCOPED_TRACE(message(length, ' ', text_of(1, options)));
        const Image<double> line = pattern_field(Pattern::smooth, 1, 1, length, 0.5, 24.0);
        const Image<double> field(View<const double>(line.data(), {1, 1, length}));
        const Image<double> x = random_field<double>({2, 3, length}, -1, 1, 1);
        const Image<double> out = adaptive_blur(x, field, options);
        // A signal is an image of one row, but for its kernels, which have one too.
        Image<double> expected(x.shape());
        double mass = 1.0;
        for (Index i = 0; i < length; ++i) {
          const Image<double> row = gaussian_row(field, 0, i, mode, scatter);
          for (Index plane = 0; plane < 6; ++plane) {
            const double* from = x.data() + plane * length;
            double* to = expected.data() + plane * length;
            for (Index q = 0; q < length; ++q) {
              to[scatter ? q : i] += row.data()[q] * from[scatter ? i : q];
            }
          }
          mass += scatter ? row.data()[length / 2] : 0.0;
        }
        for (Index i = 0; i < x.elements(); ++i) {
          EXPECT_NEAR(out.data()[i], expected.data()[i], 1e-4 * mass);
        }
      }
    }
  }
}

// Image n of a batch.
Image<double> part_of(const Image<double>& batch, Index n) {
  Shape shape = batch.shape();
  shape[0] = 1;
  return Image<double>(View<const double>(batch.view().row(n, 0, 0), shape));
}

TEST(AdaptiveBlurToleranceShapes, BatchesMeetTheirOwnFields) {
  for (const Way& way : kWays) {
    for (const bool scatter : {false, true}) {
      const AdaptiveBlurOptions options = tolerant(way, Mode::reflect, scatter);
      SCOPED_TRACE(text_of(way.kind, options));
      const Shape one{1, 1, 40, 110};
      const Image<double> x = random_image<double>({2, 3, 40, 110}, 1);
      Image<double> field({2, way.kind, 40, 110});
      for (Index n = 0; n < 2; ++n) {
        const Image<double> part =
            pattern_field(Pattern::smooth, way.kind, 40, 110, 1.0 + static_cast<double>(n), 20.0);
        std::copy_n(part.data(), part.elements(), field.view().row(n, 0, 0));
      }
      const Image<double> out = adaptive_blur(x, field, options);
      for (Index n = 0; n < 2; ++n) {
        const Image<double> own(
            View<const double>(field.view().row(n, 0, 0), {1, way.kind, 40, 110}));
        for (Index c = 0; c < 3; ++c) {
          const Image<double> plane(View<const double>(x.view().row(n, c, 0), one));
          const Image<double> alone = adaptive_blur(plane, own, options);
          const Image<double> among(View<const double>(out.view().row(n, c, 0), one));
          // The choice of methods depends on how many planes share a field.
          EXPECT_LT(distance(among, alone), way.method == BlurMethod::automatic ? 5e-3 : 1e-13);
        }
        // One field for all.
        const Image<double> shared = adaptive_blur(x, own, options);
        if (way.method == BlurMethod::automatic) {
          EXPECT_LT(distance(part_of(shared, n), part_of(out, n)), 5e-3);
        } else {
          EXPECT_TRUE(same_bits(part_of(shared, n), part_of(out, n)));
        }
      }
    }
  }
}

TEST(AdaptiveBlurToleranceShapes, ThreadsDoNotChangeABit) {
  for (const Way& way : kWays) {
    if (way.method == BlurMethod::exact) continue;
    for (const bool scatter : {false, true}) {
      for (const Mode mode : {Mode::reflect, Mode::nearest}) {
        AdaptiveBlurOptions options = tolerant(way, mode, scatter);
        SCOPED_TRACE(text_of(way.kind, options));
        const Shape shape{2, 2, 100, 200};
        const Image<float> x = random_image<float>(shape, 1);
        const Image<float> u = random_image<float>(shape, 2);
        const auto field =
            converted<float>(pattern_field(Pattern::smooth, way.kind, 100, 200, 1.5, 12.0));
        std::vector<Image<float>> first;
        for (const int threads : {1, 2, 5}) {
          options.execution.threads = threads;
          std::vector<Image<float>> results;
          results.push_back(adaptive_blur(x, field, options));
          results.emplace_back(shape);
          results.emplace_back(field.shape());
          adaptive_blur_vjp<float>(x, field, u, results[1], results[2], options);
          results.emplace_back(shape);
          adaptive_blur_jvp<float>(x, field, u, field, results[3], options);
          if (first.empty()) {
            first = std::move(results);
            continue;
          }
          for (std::size_t i = 0; i < first.size(); ++i) {
            EXPECT_TRUE(same_bits(results[i], first[i]))
                << "result " << i << ", threads " << threads;
          }
        }
      }
    }
  }
}

TEST(AdaptiveBlurToleranceShapes, AnyStrides) {
  constexpr Index kHeight = 100;
  constexpr Index kWidth = 37;
  const Shape shape{1, 2, kHeight, kWidth};
  // Stored transposed in space and backwards in x.
  const auto strange = [](Image<double>& store) {
    const Shape s = store.shape();
    return View<double>(store.data() + (kWidth - 1) * kHeight, {s[0], s[1], kHeight, kWidth},
                        {s[1] * kHeight * kWidth, kHeight * kWidth, 1, -kHeight});
  };
  const Image<double> x = random_image<double>(shape, 1);
  const Image<double> u = random_image<double>(shape, 2);
  for (const Way& way : kWays) {
    const Image<double> field =
        pattern_field(Pattern::smooth, way.kind, kHeight, kWidth, 1.0, 20.0);
    for (const bool scatter : {false, true}) {
      const AdaptiveBlurOptions options = tolerant(way, Mode::mirror, scatter);
      SCOPED_TRACE(text_of(way.kind, options));
      Image<double> grad_x(shape);
      Image<double> grad_field(field.shape());
      adaptive_blur_vjp<double>(x, field, u, grad_x, grad_field, options);
      Image<double> x_store(shape);
      Image<double> u_store(shape);
      Image<double> f_store(field.shape());
      Image<double> o_store(shape);
      Image<double> g_store(shape);
      Image<double> gf_store(field.shape());
      copy<double>(x, strange(x_store));
      copy<double>(u, strange(u_store));
      copy<double>(field, strange(f_store));
      adaptive_blur<double>(strange(x_store), strange(f_store), strange(o_store), options);
      adaptive_blur_vjp<double>(strange(x_store), strange(f_store), strange(u_store),
                                strange(g_store), strange(gf_store), options);
      const auto packed = [&](Image<double>& store) {
        return Image<double>(View<const double>(strange(store)));
      };
      EXPECT_TRUE(same_bits(packed(o_store), adaptive_blur(x, field, options)));
      EXPECT_TRUE(same_bits(packed(g_store), grad_x));
      EXPECT_TRUE(same_bits(packed(gf_store), grad_field));
    }
  }
}

// What stands beyond the border counts as if it were pixels.
TEST(AdaptiveBlurToleranceShapes, Cval) {
  for (const Way& way : kWays) {
    AdaptiveBlurOptions options = tolerant(way, Mode::constant, false, 1e-4);
    SCOPED_TRACE(text_of(way.kind, options));
    const Image<double> field = pattern_field(Pattern::smooth, way.kind, 60, 99, 1.0, 20.0);
    const Image<double> x = random_field<double>({1, 2, 60, 99}, -1, 1, 1);
    options.extension.cval = 0.8;
    const Image<double> out = adaptive_blur(x, field, options);
    for (const Pixel& p : telling_pixels(field, 14)) {
      const Image<double> row = gaussian_row(field, p.y, p.x, Mode::constant, false);
      for (Index c = 0; c < 2; ++c) {
        double expected = options.extension.cval;
        for (Index q = 0; q < row.elements(); ++q) {
          expected += row.data()[q] * (x.data()[c * row.elements() + q] - options.extension.cval);
        }
        EXPECT_NEAR(out.view().at(0, c, p.y, p.x), expected, 1.8e-4);
      }
    }
  }
}

TEST(AdaptiveBlurToleranceShapes, ProgressRunsOnceAndCancels) {
  const Shape shape{2, 1, 210, 140};
  const Image<float> x = random_image<float>(shape, 1);
  for (const Way& way : kWays) {
    const auto field =
        converted<float>(pattern_field(Pattern::smooth, way.kind, 210, 140, 1.0, 20.0));
    for (const bool scatter : {false, true}) {
      AdaptiveBlurOptions options = tolerant(way, Mode::reflect, scatter);
      SCOPED_TRACE(text_of(way.kind, options));
      std::vector<double> seen;
      options.execution.progress = [&](double fraction) {
        seen.push_back(fraction);
        return true;
      };
      adaptive_blur(x, field, options);
      ASSERT_FALSE(seen.empty());
      EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
      EXPECT_NEAR(seen.back(), 1.0, 1e-12);
      for (const double until : {0.0, 0.4}) {
        options.execution.progress = [until](double fraction) { return fraction < until; };
        EXPECT_THROW(adaptive_blur(x, field, options), Cancelled);
      }
    }
  }
}

}  // namespace
}  // namespace blurfield::test
