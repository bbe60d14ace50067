// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/adaptive_blur.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/uniform_blur.h"
#include "tests/reference/adaptive_blur_reference.h"
#include "tests/support/derivatives.h"
#include "tests/support/images.h"
#include "tests/support/npz.h"
#include "tests/support/targets.h"

namespace blurfield::test {
namespace {

constexpr Mode kModes[] = {Mode::reflect, Mode::mirror, Mode::nearest, Mode::constant, Mode::wrap};

// A random field of this kind (1, 2 or 3 channels), sigmas in low..high.
Image<double> field_of(const Shape& image, Index kind, double low, double high,
                       std::uint64_t seed = 7) {
  Shape shape = image;
  shape[1] = kind;
  Image<double> field = random_field<double>(shape, low, high, seed);
  if (kind < 3) return field;
  Random random(seed);
  const View<double> v = field.view();
  for (Index n = 0; n < v.batch(); ++n) {
    for (Index y = 0; y < v.height(); ++y) {
      for (Index x = 0; x < v.width(); ++x) {
        v.at(n, 0, y, x) = std::log(v.at(n, 0, y, x));
        v.at(n, 2, y, x) = std::log(v.at(n, 2, y, x));
        v.at(n, 1, y, x) = random.normal();
      }
    }
  }
  return field;
}

struct Case {
  Shape shape;
  Index kind;
  bool scatter;
  AdaptiveBlurOptions options;
  std::string text;
};

// Every kind of field, gather and scatter, every mode, on awkward sizes.
std::vector<Case> cases(std::initializer_list<Shape> shapes, double truncate = 4.0) {
  std::vector<Case> all;
  for (const Shape& shape : shapes) {
    for (Index kind = 1; kind <= (shape.rank() == 3 ? 1 : 3); ++kind) {
      for (bool scatter : {false, true}) {
        for (Mode mode : kModes) {
          AdaptiveBlurOptions options;
          options.scatter = scatter;
          options.truncate = truncate;
          options.extension = {mode, mode == Mode::constant ? 0.7 : 0.0};
          all.push_back({shape, kind, scatter, options,
                         message(shape.text(), " kind ", kind, scatter ? " scatter " : " gather ",
                                 mode_name(mode))});
        }
      }
    }
  }
  return all;
}

template <class T>
Image<T> vjp_image(const Image<T>& x, const Image<T>& field, const Image<T>& u,
                   const AdaptiveBlurOptions& options) {
  Image<T> grad(x.shape());
  adaptive_blur_vjp<T>(x, field, u, grad, {}, options);
  return grad;
}

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

TEST(AdaptiveBlur, EverySimdTarget) {
  for_each_target([] {
    for (const Case& c : cases({{1, 3, 19, 45}}, 3.0)) {
      SCOPED_TRACE(c.text);
      const Image<double> x = random_image<double>(c.shape, 1);
      const Image<double> field = field_of(c.shape, c.kind, 0.3, 2.5);
      const Image<double> expected = adaptive_blur_reference(x, field, c.options);
      EXPECT_LT(distance(adaptive_blur(x, field, c.options), expected), 1e-12);
      EXPECT_LT(distance(adaptive_blur(converted<float>(x), converted<float>(field), c.options),
                         expected),
                1e-5);
      AdaptiveBlurOptions linear = c.options;
      linear.extension.cval = 0.0;
      expect_adjoint<double>(
          c.shape, c.shape, [&](const auto& v) { return adaptive_blur(v, field, linear); },
          [&](const auto& u) { return vjp_image(x, field, u, linear); });
    }
  });
}

TEST(AdaptiveBlur, VjpIsTheAdjoint) {
  for (const Case& c : cases({{1, 1, 1, 1}, {1, 1, 3, 4}, {2, 3, 14, 37}, {1, 2, 33}})) {
    SCOPED_TRACE(c.text);
    AdaptiveBlurOptions linear = c.options;
    linear.extension.cval = 0.0;
    const Image<double> field = field_of(c.shape, c.kind, 0.3, 3.0);
    const Image<double> x(c.shape);
    expect_adjoint<double>(
        c.shape, c.shape, [&](const auto& v) { return adaptive_blur(v, field, linear); },
        [&](const auto& u) { return vjp_image(x, field, u, linear); });
    const Image<float> field32 = converted<float>(field);
    const Image<float> x32(c.shape);
    expect_adjoint<float>(
        c.shape, c.shape, [&](const auto& v) { return adaptive_blur(v, field32, linear); },
        [&](const auto& u) { return vjp_image(x32, field32, u, linear); });
  }
}

// jvp against finite differences, and vjp against jvp, in all inputs at once; with cval.
TEST(AdaptiveBlur, Derivatives) {
  for (const Case& c : cases({{2, 3, 9, 14}, {1, 1, 3, 2}, {1, 2, 17}})) {
    for (const Index batch : {c.shape[0], Index{1}}) {
      SCOPED_TRACE(c.text + message(" field batch ", batch));
      Shape field_shape = c.shape;
      field_shape[0] = batch;
      const Image<double> x = random_image<double>(c.shape, 1);
      // Away from the sigmas where a radius jumps: radii are given.
      AdaptiveBlurOptions options = c.options;
      options.radius = {4};
      const Image<double> field = field_of(field_shape, c.kind, 0.6, 2.5);
      const Image<double> x_dot = random_image<double>(c.shape, 3);
      field_shape[1] = c.kind;
      const Image<double> field_dot = random_image<double>(field_shape, 4);
      const Image<double> u = random_image<double>(c.shape, 5);
      Image<double> out_dot(c.shape);
      adaptive_blur_jvp<double>(x, field, x_dot, field_dot, out_dot, options);
      const auto along = [&](double t) {
        return inner(u, adaptive_blur(moved(x, t, x_dot), moved(field, t, field_dot), options));
      };
      expect_slope(along, inner(u, out_dot));
      Image<double> grad_x(c.shape);
      Image<double> grad_field(field_shape);
      adaptive_blur_vjp<double>(x, field, u, grad_x, grad_field, options);
      const double by_vjp = inner(grad_x, x_dot) + inner(grad_field, field_dot);
      EXPECT_NEAR(by_vjp, inner(u, out_dot), 1e-12 * norm(u) * norm(out_dot));
      // Each gradient alone is the same, bit for bit.
      Image<double> alone_x(c.shape);
      Image<double> alone_field(field_shape);
      adaptive_blur_vjp<double>(x, field, u, alone_x, {}, options);
      adaptive_blur_vjp<double>(x, field, u, {}, alone_field, options);
      EXPECT_TRUE(same_bits(alone_x, grad_x));
      EXPECT_TRUE(same_bits(alone_field, grad_field));
      // Each tangent alone adds up to both.
      Image<double> by_x(c.shape);
      Image<double> by_field(c.shape);
      adaptive_blur_jvp<double>(x, field, x_dot, {}, by_x, options);
      adaptive_blur_jvp<double>(x, field, {}, field_dot, by_field, options);
      EXPECT_LT(distance(moved(by_x, 1.0, by_field), out_dot), 1e-12);
    }
  }
}

TEST(AdaptiveBlur, ThreadsDoNotChangeABit) {
  for (const Case& c : cases({{2, 3, 50, 83}})) {
    SCOPED_TRACE(c.text);
    const Image<float> x = random_image<float>(c.shape, 1);
    const Image<float> field = converted<float>(field_of(c.shape, c.kind, 0.3, 4.0));
    const Image<float> u = random_image<float>(c.shape, 2);
    std::vector<Image<float>> first;
    for (int threads : {1, 2, 5}) {
      AdaptiveBlurOptions options = c.options;
      options.execution.threads = threads;
      std::vector<Image<float>> results;
      results.push_back(adaptive_blur(x, field, options));
      results.emplace_back(c.shape);
      results.emplace_back(field.shape());
      adaptive_blur_vjp<float>(x, field, u, results[1], results[2], options);
      results.emplace_back(c.shape);
      adaptive_blur_jvp<float>(x, field, u, field, results[3], options);
      if (first.empty()) {
        first = std::move(results);
        continue;
      }
      for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_TRUE(same_bits(results[i], first[i])) << "result " << i << ", threads " << threads;
      }
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

// Where the impulse's light goes: a kernel long in y and leaning to +x as y grows.
TEST(AdaptiveBlur, ImpulseResponses) {
  const Shape shape{1, 1, 31, 41};
  Image<double> impulse(shape);
  impulse.view().at(0, 0, 12, 20) = 1.0;
  Image<double> field({1, 3, 31, 41});
  const Logchol lean = cov_to_logchol({9.0, 4.0, 4.0});
  for (Index k = 0; k < 3; ++k) {
    std::fill_n(field.data() + k * 31 * 41, 31 * 41, lean[static_cast<std::size_t>(k)]);
  }
  for (bool scatter : {false, true}) {
    AdaptiveBlurOptions options;
    options.scatter = scatter;
    const Image<double> out = adaptive_blur(impulse, field, options);
    const View<const double> v = out;
    double mass = 0, y1 = 0, x1 = 0, yy = 0, yx = 0, xx = 0;
    for (Index y = 0; y < 31; ++y) {
      for (Index x = 0; x < 41; ++x) {
        const double w = v.at(0, 0, y, x);
        const auto dy = static_cast<double>(y - 12);
        const auto dx = static_cast<double>(x - 20);
        mass += w;
        y1 += w * dy;
        x1 += w * dx;
        yy += w * dy * dy;
        yx += w * dy * dx;
        xx += w * dx * dx;
      }
    }
    EXPECT_NEAR(mass, 1.0, 1e-6);
    EXPECT_NEAR(y1, 0.0, 1e-6);
    EXPECT_NEAR(x1, 0.0, 1e-6);
    EXPECT_NEAR(yy, 9.0, 0.05);
    EXPECT_NEAR(yx, 4.0, 0.05);
    EXPECT_NEAR(xx, 4.0, 0.05);
    EXPECT_GT(v.at(0, 0, 14, 21), 2 * v.at(0, 0, 14, 19));
  }
  // A gather spreads an impulse by the kernels of the pixels around it, a scatter by its own.
  Image<double> sigma = constant_image<double>(shape, 0.5);
  sigma.view().at(0, 0, 12, 20) = 3.0;
  AdaptiveBlurOptions options;
  const Image<double> gathered = adaptive_blur(impulse, sigma, options);
  EXPECT_NEAR(gathered.view().at(0, 0, 12, 20), 1 / (2 * M_PI * 9), 1e-4);
  EXPECT_NEAR(gathered.view().at(0, 0, 16, 20), 0.0, 1e-12);
  options.scatter = true;
  const Image<double> scattered = adaptive_blur(impulse, sigma, options);
  EXPECT_NEAR(scattered.view().at(0, 0, 16, 20), std::exp(-16.0 / 18) / (2 * M_PI * 9), 1e-4);
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

// Any real theta is a covariance; any sigma > 0 a width.
TEST(AdaptiveBlur, ExtremeFieldsStayFinite) {
  const Shape shape{1, 1, 7, 9};
  const auto all_finite = [](const auto& image) {
    return std::all_of(image.data(), image.data() + image.elements(),
                       [](auto v) { return std::isfinite(v); });
  };
  const auto check = [&](const Image<double>& field64) {
    const Image<float> field = converted<float>(field64);
    const Image<float> x = random_image<float>(shape, 1);
    for (bool scatter : {false, true}) {
      AdaptiveBlurOptions options;
      options.scatter = scatter;
      Image<float> grad_x(shape);
      Image<float> grad_field(field.shape());
      Image<float> out_dot(shape);
      EXPECT_TRUE(all_finite(adaptive_blur(x, field, options)));
      adaptive_blur_vjp<float>(x, field, x, grad_x, grad_field, options);
      adaptive_blur_jvp<float>(x, field, x, field, out_dot, options);
      EXPECT_TRUE(all_finite(grad_x) && all_finite(grad_field) && all_finite(out_dot));
      EXPECT_TRUE(all_finite(adaptive_blur(converted<double>(x), field64, options)));
    }
  };
  for (double sigma : {1e-30, 1e-6, 0.05, 0.076, 0.3}) check(constant_image<double>(shape, sigma));
  for (const Logchol& theta : {Logchol{-80, 0, -80}, Logchol{-300, 5, -20}, Logchol{1, 9, -40},
                               Logchol{-2, 0.5, -2}, Logchol{0.5, -20, 0}}) {
    Image<double> field({1, 3, 7, 9});
    for (Index k = 0; k < 3; ++k) {
      std::fill_n(field.data() + k * 63, 63, theta[static_cast<std::size_t>(k)]);
    }
    check(field);
  }
}

TEST(AdaptiveBlur, VanishingWidthIsTheIdentity) {
  const Shape shape{1, 1, 7, 9};
  const Image<float> x = random_image<float>(shape, 1);
  EXPECT_TRUE(same_bits(adaptive_blur(x, constant_image<float>(shape, 0.01)), x));
  AdaptiveBlurOptions options;
  options.radius = {0};
  EXPECT_TRUE(same_bits(adaptive_blur(x, constant_image<float>(shape, 2.0), options), x));
}

// Arrays computed by an independent implementation; see tests/data/README.md.
TEST(AdaptiveBlur, ReferenceArrays) {
  const Npz local("local.npz");
  int compared = 0;
  for (const std::string kind : {"sphere", "full"}) {
    for (const std::string field_name : {"a", "b"}) {
      for (const std::string sd : {"2", "6"}) {
        const std::string key = "local_" + kind + "_" + field_name + "_sd" + sd + "/";
        ASSERT_TRUE(local.has(key + "out")) << key;
        const Image<double> x = local[key + "x"].image<double>();
        const Image<double> target = local[key + "target"].image<double>();
        const Shape shape = x.shape();
        const bool full = kind == "full";
        Image<double> field({1, full ? 3 : 1, shape[2], shape[3]});
        Image<double> expected_grad(field.shape());
        // (H, W, 3) with y up to (3, H, W) with y down.
        const auto fill = [&](Image<double>& to, const Array& from) {
          const Index pixels = shape[2] * shape[3];
          const Index channels = full ? 3 : 1;
          for (Index i = 0; i < pixels; ++i) {
            for (Index k = 0; k < channels; ++k) {
              const double v = from.values[static_cast<std::size_t>(i * channels + k)];
              to.data()[k * pixels + i] = k == 1 ? -v : v;
            }
          }
        };
        fill(field, local[key + (full ? "cov" : "sigma")]);
        fill(expected_grad, local[key + (full ? "grad_cov" : "grad_sigma")]);
        AdaptiveBlurOptions options;
        options.extension.mode = Mode::constant;
        options.radius = {static_cast<int>(local[key + (full ? "half_y" : "half")].number())};
        if (full) options.radius.push_back(static_cast<int>(local[key + "half_x"].number()));
        const Image<double> out = adaptive_blur(x, field, options);
        EXPECT_LT(distance(out, local[key + "out"].image<double>()), 1e-12) << key;
        Image<double> grad_x(shape);
        Image<double> grad_field(field.shape());
        adaptive_blur_vjp<double>(x, field, moved(out, -1.0, target), grad_x, grad_field, options);
        EXPECT_LT(distance(grad_x, local[key + "grad_x"].image<double>()), 1e-12) << key;
        EXPECT_LT(distance(grad_field, expected_grad), 1e-11) << key;
        const Image<float> out32 =
            adaptive_blur(converted<float>(x), converted<float>(field), options);
        EXPECT_LT(distance(out32, local[key + "out"].image<double>()), 1e-5) << key;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 8);
}

// N = 2, C = 3, where the original mixed batches and channels up.
TEST(AdaptiveBlur, ReferenceBatch) {
  const Npz file("local_batch.npz");
  const Image<double> x = file["inline_b2k3/x"].image<double>();
  Image<double> field({2, 3, 12, 12});
  const Array& cov = file["inline_b2k3/cov"];
  double half = 0.0;
  for (Index n = 0; n < 2; ++n) {
    for (Index i = 0; i < 144; ++i) {
      Logchol theta{};
      for (Index k = 0; k < 3; ++k) {
        theta[static_cast<std::size_t>(k)] =
            cov.values[static_cast<std::size_t>((n * 144 + i) * 3 + k)] * (k == 1 ? -1.0 : 1.0);
        field.data()[(n * 3 + k) * 144 + i] = theta[static_cast<std::size_t>(k)];
      }
      const auto sigma = logchol_to_sigma(theta);
      half = std::max({half, sigma[0], sigma[1]});
    }
  }
  AdaptiveBlurOptions options;
  options.extension.mode = Mode::constant;
  double best = INFINITY;
  // The radius is ceil(std_devs * max sigma) with the original's default std_devs.
  for (int std_devs : {2, 3}) {
    options.radius = {static_cast<int>(std::ceil(std_devs * half))};
    const Image<double> out = adaptive_blur(x, field, options);
    best = std::min(best, distance(out, file["inline_b2k3/out"].image<double>()));
    EXPECT_GT(distance(out, file["inline_b2k3/library_out_wrong"].image<double>()), 0.1);
  }
  EXPECT_LT(best, 1e-12);
}

TEST(AdaptiveBlur, LongFloatSumsKeepTheirDigits) {
  const Shape shape{1, 1, 3, 900};
  const Image<float> x = random_field<float>(shape, 0.5, 1.5, 3);
  const Image<float> field = constant_image<float>(shape, 60);
  const Image<double> exact =
      adaptive_blur(converted<double>(x), constant_image<double>(shape, 60));
  EXPECT_LT(distance(adaptive_blur(x, field), exact), 5e-7);
  Image<float> logchol({1, 3, 3, 900});
  std::fill_n(logchol.data(), 2700, 0.0f);
  std::fill_n(logchol.data() + 5400, 2700, static_cast<float>(std::log(60)));
  EXPECT_LT(distance(adaptive_blur(x, logchol),
                     adaptive_blur(converted<double>(x), converted<double>(logchol))),
            1e-6);
}

TEST(AdaptiveBlur, ProgressRunsOnceAndCancels) {
  const Shape shape{2, 1, 60, 40};
  const Image<float> x = random_image<float>(shape, 1);
  for (Index kind : {1, 3}) {
    const Image<float> field = converted<float>(field_of(shape, kind, 0.5, 2.0));
    for (bool scatter : {false, true}) {
      AdaptiveBlurOptions options;
      options.scatter = scatter;
      std::vector<double> seen;
      options.execution.progress = [&](double fraction) {
        seen.push_back(fraction);
        return true;
      };
      adaptive_blur(x, field, options);
      ASSERT_FALSE(seen.empty());
      EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
      EXPECT_DOUBLE_EQ(seen.back(), 1.0);
      options.execution.progress = [](double) { return false; };
      EXPECT_THROW(adaptive_blur(x, field, options), Cancelled);
    }
  }
}

TEST(AdaptiveBlur, BadInputIsNamed) {
  const Shape shape{1, 1, 4, 5};
  const Image<float> x = random_image<float>(shape, 1);
  const Image<float> good = constant_image<float>(shape, 1.0);
  Image<float> out(shape);
  const auto error_of = [&](const Image<float>& image, const Image<float>& field,
                            const AdaptiveBlurOptions& options) -> std::string {
    try {
      adaptive_blur(image, field, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  Image<float> bad = constant_image<float>(shape, 1.0);
  bad.view().at(0, 0, 2, 3) = 0.0f;
  EXPECT_EQ(error_of(x, bad, {}), "adaptive_blur: expected sigma > 0, got 0 at (0, 0, 2, 3)");
  bad.view().at(0, 0, 2, 3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(error_of(x, bad, {}).find("(0, 0, 2, 3)"), std::string::npos);
  EXPECT_NE(error_of(bad, good, {}).find("finite"), std::string::npos);
  EXPECT_NE(error_of(x, constant_image<float>({1, 1, 5, 4}, 1), {}).find("(1, 1, 4, 5)"),
            std::string::npos);
  EXPECT_NE(error_of(x, constant_image<float>({1, 4, 4, 5}, 1), {}).find("channels"),
            std::string::npos);
  EXPECT_NE(error_of(x, constant_image<float>({2, 1, 4, 5}, 1), {}).find("field"),
            std::string::npos);
  AdaptiveBlurOptions options;
  options.truncate = -1;
  EXPECT_NE(error_of(x, good, options).find("truncate"), std::string::npos);
  options = {};
  options.radius = {1, 2, 3};
  EXPECT_NE(error_of(x, good, options).find("radius"), std::string::npos);
  EXPECT_THROW(adaptive_blur_vjp<float>(x, good, Image<float>({1, 1, 2, 2}), out, {}), Error);
}

TEST(AdaptiveBlur, TapsCountTheKernels) {
  const Shape shape{2, 3, 4, 5};
  EXPECT_EQ(adaptive_blur_taps<float>(shape, constant_image<float>({1, 1, 4, 5}, 2.0)),
            17.0 * 17.0 * 120);
  AdaptiveBlurOptions options;
  options.radius = {1, 2};
  EXPECT_EQ(adaptive_blur_taps<float>(shape, constant_image<float>({2, 1, 4, 5}, 2.0), options),
            15.0 * 120);
}

}  // namespace
}  // namespace blurfield::test
