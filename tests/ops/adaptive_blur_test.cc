// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/adaptive_blur.h"

#include <gtest/gtest.h>

#include <cmath>

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/uniform_blur.h"
#include "tests/reference/adaptive_blur_reference.h"
#include "tests/support/fields.h"
#include "tests/support/images.h"

namespace blurfield::test {
namespace {

TEST(AdaptiveBlur, EqualsItsDefinition) {
  for (const Case& c : cases({{1, 1, 1, 1},
                              {1, 1, 1, 9},
                              {1, 1, 7, 1},
                              {1, 2, 3, 5},
                              {2, 3, 13, 21},
                              {1, 1, 30, 70},
                              {2, 2, 40}})) {
    SCOPED_TRACE(c.text);
    const Image<double> x = random_image<double>(c.shape, 1);
    const Image<double> field = field_of(c.shape, c.kind, 0.3, 2.5);
    const Image<double> expected = adaptive_blur_reference(x, field, c.options);
    EXPECT_LT(distance(adaptive_blur(x, field, c.options), expected), 1e-12);
    const Image<float> x32 = converted<float>(x);
    const Image<float> field32 = converted<float>(field);
    EXPECT_LT(distance(adaptive_blur(x32, field32, c.options),
                       adaptive_blur_reference(converted<double>(x32), converted<double>(field32),
                                               c.options)),
              2e-6);
  }
}

TEST(AdaptiveBlur, LargeOddImage) {
  for (const Case& c : cases({{1, 1, 67, 129}}, 3.0)) {
    SCOPED_TRACE(c.text);
    const Image<double> x = random_image<double>(c.shape, 1);
    const Image<double> field = field_of(c.shape, c.kind, 0.3, 2.0);
    EXPECT_LT(
        distance(adaptive_blur(x, field, c.options), adaptive_blur_reference(x, field, c.options)),
        1e-12);
  }
}

TEST(AdaptiveBlur, RadiusBeyondTheImage) {
  for (Case& c : cases({{1, 1, 1, 1}, {1, 1, 2, 3}, {1, 1, 5, 4}, {1, 1, 6}})) {
    SCOPED_TRACE(c.text);
    const Image<double> x = random_image<double>(c.shape, 1);
    const Image<double> field = field_of(c.shape, c.kind, 1.0, 6.0);
    EXPECT_LT(
        distance(adaptive_blur(x, field, c.options), adaptive_blur_reference(x, field, c.options)),
        1e-12);
    // Weights vanish long before such a radius: nothing walks it.
    AdaptiveBlurOptions wide = c.options;
    wide.radius = {100000};
    c.options.radius = {80};
    const Image<double> small = field_of(c.shape, c.kind, 0.5, 1.9);
    EXPECT_LT(distance(adaptive_blur(x, small, wide), adaptive_blur(x, small, c.options)), 1e-12);
  }
}

TEST(AdaptiveBlur, SigmaBeyondTheImage) {
  for (Mode mode : kModes) {
    for (bool scatter : {false, true}) {
      SCOPED_TRACE(message(mode_name(mode), scatter ? " scatter" : " gather"));
      AdaptiveBlurOptions options;
      options.extension.mode = mode;
      options.scatter = scatter;
      const Shape shape{1, 1, 6, 9};
      const Image<double> x = random_field<double>(shape, 1, 2, 5);
      const Image<double> wide = constant_image<double>(shape, 8);
      EXPECT_LT(
          distance(adaptive_blur(x, wide, options), adaptive_blur_reference(x, wide, options)),
          1e-12);
      // So wide that all pixels weigh the same (wrap and reflect then give the mean).
      if (mode != Mode::wrap && mode != Mode::reflect) continue;
      const Image<float> flat =
          adaptive_blur(converted<float>(x), constant_image<float>(shape, 3000), options);
      const double mean = inner(x, constant_image<double>(shape, 1.0)) / 54;
      EXPECT_LT(distance(flat, constant_image<double>(shape, mean)), 1e-5);
    }
  }
}

TEST(AdaptiveBlur, ConstantFieldIsTheUniformBlur) {
  const Shape shape{1, 2, 24, 37};
  const Image<double> x = random_image<double>(shape, 1);
  const std::vector<std::vector<double>> gaussians{{1.7}, {0.8, 2.4}, {0.4, -0.9, 0.2}};
  for (Mode mode : kModes) {
    for (const auto& gaussian : gaussians) {
      const auto kind = static_cast<Index>(gaussian.size());
      Image<double> field({1, kind, 24, 37});
      for (Index k = 0; k < kind; ++k) {
        std::fill_n(field.data() + k * 24 * 37, 24 * 37, gaussian[static_cast<std::size_t>(k)]);
      }
      for (bool scatter : {false, true}) {
        // Reflections turn b over: a uniform covariance with b != 0 is not a constant scatter.
        if (scatter && kind == 3 && (mode == Mode::reflect || mode == Mode::mirror)) continue;
        AdaptiveBlurOptions options;
        options.extension = {mode, 0.4};
        options.scatter = scatter;
        EXPECT_LT(distance(adaptive_blur(x, field, options), uniform_blur(x, gaussian, options)),
                  1e-12)
            << mode_name(mode) << " kind " << kind << " scatter " << scatter;
      }
    }
  }
}

TEST(AdaptiveBlur, ScatterKeepsMassAndConstants) {
  const Shape shape{1, 1, 21, 34};
  const Image<double> x = random_field<double>(shape, 0, 1, 1);
  const Image<double> ones = constant_image<double>(shape, 1.0);
  for (Index kind : {1, 2, 3}) {
    AdaptiveBlurOptions options;
    options.scatter = true;
    options.extension.mode = Mode::wrap;
    const Image<double> field = field_of(shape, kind, 0.4, 5.0);
    EXPECT_NEAR(inner(adaptive_blur(x, field, options), ones), inner(x, ones), 1e-10);
    options.scatter = false;
    for (Mode mode : {Mode::reflect, Mode::mirror, Mode::nearest, Mode::wrap}) {
      options.extension.mode = mode;
      EXPECT_LT(distance(adaptive_blur(ones, field, options), ones), 1e-12);
    }
  }
}

TEST(AdaptiveBlur, BatchesMeetTheirOwnFields) {
  const Shape shape{2, 3, 11, 16};
  const Image<double> x = random_image<double>(shape, 1);
  const Image<double> field = field_of(shape, 1, 0.5, 2.0);
  const Image<double> out = adaptive_blur(x, field);
  for (Index n = 0; n < 2; ++n) {
    const Shape one{1, 3, 11, 16};
    const Image<double> xn(View<const double>(x.view().row(n, 0, 0), one));
    const Image<double> fn(View<const double>(field.view().row(n, 0, 0), {1, 1, 11, 16}));
    const Image<double> alone = adaptive_blur(xn, fn);
    EXPECT_TRUE(std::equal(alone.data(), alone.data() + alone.elements(), out.view().row(n, 0, 0)));
  }
}

TEST(AdaptiveBlur, AnyStrides) {
  const Shape shape{1, 2, 12, 17};
  const Image<double> x = random_image<double>(shape, 1);
  for (Index kind : {1, 3}) {
    const Image<double> field = field_of(shape, kind, 0.5, 2.0);
    for (bool scatter : {false, true}) {
      AdaptiveBlurOptions options;
      options.scatter = scatter;
      const Image<double> expected = adaptive_blur(x, field, options);
      // Stored transposed in space and backwards in x.
      const auto strange = [](Image<double>& store) {
        const Index h = 12;
        const Index w = 17;
        const Shape s = store.shape();
        return View<double>(store.data() + (w - 1) * h, {s[0], s[1], h, w},
                            {s[1] * h * w, h * w, 1, -h});
      };
      Image<double> x_store(shape);
      Image<double> f_store(field.shape());
      Image<double> o_store(shape);
      copy<double>(x, strange(x_store));
      copy<double>(field, strange(f_store));
      adaptive_blur<double>(strange(x_store), strange(f_store), strange(o_store), options);
      EXPECT_TRUE(same_bits(Image<double>(View<const double>(strange(o_store))), expected));
    }
  }
}

}  // namespace
}  // namespace blurfield::test
