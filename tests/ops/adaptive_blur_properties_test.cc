// SPDX-License-Identifier: BSD-3-Clause
// Properties of the adaptive blur on random sizes, fields, modes and options.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "blurfield/ops/adaptive_blur.h"
#include "tests/support/images.h"

namespace blurfield::test {
namespace {

struct Draw {
  Shape shape;
  Index kind;
  AdaptiveBlurOptions options;
  std::uint64_t seed;
};

Draw draw(bool with_constant) {
  Draw d;
  d.shape = {*rc::gen::inRange<Index>(1, 3), *rc::gen::inRange<Index>(1, 4),
             *rc::gen::inRange<Index>(1, 26), *rc::gen::inRange<Index>(1, 38)};
  d.kind = *rc::gen::inRange<Index>(1, 4);
  d.options.extension.mode =
      *(with_constant ? rc::gen::element(Mode::reflect, Mode::mirror, Mode::nearest, Mode::wrap,
                                         Mode::constant)
                      : rc::gen::element(Mode::reflect, Mode::mirror, Mode::nearest, Mode::wrap));
  d.options.truncate = *rc::gen::element(2.0, 3.0, 4.0);
  d.options.scatter = *rc::gen::arbitrary<bool>();
  d.seed = *rc::gen::inRange<std::uint64_t>(0, 1 << 20);
  return d;
}

Image<double> draw_field(const Draw& d) {
  Shape shape = d.shape;
  shape[1] = d.kind;
  Image<double> field = random_field<double>(shape, 0.3, 4.0, d.seed);
  if (d.kind < 3) return field;
  for (Index i = 0; i < field.elements(); ++i) field.data()[i] = std::log(field.data()[i]);
  return field;
}

TEST(AdaptiveBlurProperties, ConstantsArePreserved) {
  EXPECT_TRUE(rc::check([] {
    Draw d = draw(false);
    d.options.scatter = false;
    const Image<double> x = constant_image<double>(d.shape, 3.7);
    RC_ASSERT(distance(adaptive_blur(x, draw_field(d), d.options), x) < 1e-12);
  }));
}

TEST(AdaptiveBlurProperties, Linear) {
  EXPECT_TRUE(rc::check([] {
    const Draw d = draw(true);
    const Image<double> field = draw_field(d);
    const Image<double> x = random_image<double>(d.shape, d.seed + 1);
    const Image<double> y = random_image<double>(d.shape, d.seed + 2);
    Image<double> sum(d.shape);
    for (Index i = 0; i < sum.elements(); ++i) sum.data()[i] = 2.5 * x.data()[i] - y.data()[i];
    const Image<double> bx = adaptive_blur(x, field, d.options);
    const Image<double> by = adaptive_blur(y, field, d.options);
    Image<double> expected(d.shape);
    for (Index i = 0; i < sum.elements(); ++i) {
      expected.data()[i] = 2.5 * bx.data()[i] - by.data()[i];
    }
    RC_ASSERT(distance(adaptive_blur(sum, field, d.options), expected) < 1e-12);
  }));
}

TEST(AdaptiveBlurProperties, ScatterKeepsMassUnderWrap) {
  EXPECT_TRUE(rc::check([] {
    Draw d = draw(false);
    d.options.scatter = true;
    d.options.extension.mode = Mode::wrap;
    const Image<double> x = random_field<double>(d.shape, 0, 1, d.seed + 1);
    const Image<double> ones = constant_image<double>(d.shape, 1.0);
    const Image<double> out = adaptive_blur(x, draw_field(d), d.options);
    RC_ASSERT(std::abs(inner(out, ones) / inner(x, ones) - 1.0) < 1e-12);
  }));
}

// Shifting image and field around the torus shifts the result.
TEST(AdaptiveBlurProperties, ShiftsAlongUnderWrap) {
  EXPECT_TRUE(rc::check([] {
    Draw d = draw(false);
    d.options.extension.mode = Mode::wrap;
    const Index sy = *rc::gen::inRange<Index>(0, d.shape[2]);
    const Index sx = *rc::gen::inRange<Index>(0, d.shape[3]);
    const auto shifted = [&](const Image<double>& from) {
      Image<double> to(from.shape());
      const View<const double> v = from;
      for (Index n = 0; n < v.batch(); ++n) {
        for (Index c = 0; c < v.channels(); ++c) {
          for (Index y = 0; y < v.height(); ++y) {
            for (Index x = 0; x < v.width(); ++x) {
              to.view().at(n, c, (y + sy) % v.height(), (x + sx) % v.width()) = v.at(n, c, y, x);
            }
          }
        }
      }
      return to;
    };
    const Image<double> field = draw_field(d);
    const Image<double> x = random_image<double>(d.shape, d.seed + 1);
    RC_ASSERT(distance(adaptive_blur(shifted(x), shifted(field), d.options),
                       shifted(adaptive_blur(x, field, d.options))) < 1e-12);
  }));
}

}  // namespace
}  // namespace blurfield::test
