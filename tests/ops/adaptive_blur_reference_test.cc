// SPDX-License-Identifier: BSD-3-Clause
// The adaptive blur against figures from outside: reference arrays, moments, messages.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/covariance.h"
#include "tests/support/derivatives.h"
#include "tests/support/images.h"
#include "tests/support/npz.h"

namespace blurfield::test {
namespace {

// Where the impulse's light goes: a kernel long in y and leaning to +x as y grows.
TEST(AdaptiveBlurReference, ImpulseResponses) {
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

TEST(AdaptiveBlurReference, VanishingWidthIsTheIdentity) {
  const Shape shape{1, 1, 7, 9};
  const Image<float> x = random_image<float>(shape, 1);
  EXPECT_TRUE(same_bits(adaptive_blur(x, constant_image<float>(shape, 0.01)), x));
  AdaptiveBlurOptions options;
  options.radius = {0};
  EXPECT_TRUE(same_bits(adaptive_blur(x, constant_image<float>(shape, 2.0), options), x));
}

// Arrays computed by an independent implementation; see tests/data/README.md.
TEST(AdaptiveBlurReference, ReferenceArrays) {
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
TEST(AdaptiveBlurReference, ReferenceBatch) {
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

TEST(AdaptiveBlurReference, LongFloatSumsKeepTheirDigits) {
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

TEST(AdaptiveBlurReference, BadInputIsNamed) {
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

// Larger pixels would overflow sums; infinities would become NaN.
TEST(AdaptiveBlurReference, HugePixelsAreNamed) {
  const Shape shape{1, 1, 4, 5};
  Image<float> x(shape);
  x.view().at(0, 0, 1, 2) = std::numeric_limits<float>::lowest();
  try {
    adaptive_blur(x, constant_image<float>(shape, 1));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("(0, 0, 1, 2)"), std::string::npos) << error.what();
  }
  x.view().at(0, 0, 1, 2) = -9e29f;
  Image<float> logchol({1, 3, 4, 5});
  for (const Image<float>& out :
       {adaptive_blur(x, constant_image<float>(shape, 3)), adaptive_blur(x, logchol)}) {
    for (Index i = 0; i < out.elements(); ++i) EXPECT_TRUE(std::isfinite(out.data()[i]));
  }
}

TEST(AdaptiveBlurReference, OutputMustNotBeTheImage) {
  Image<float> x({1, 1, 4, 5});
  EXPECT_THROW(adaptive_blur<float>(x, constant_image<float>({1, 1, 4, 5}, 1), x), Error);
}

TEST(AdaptiveBlurReference, TapsCountTheKernels) {
  const Shape shape{2, 3, 4, 5};
  EXPECT_EQ(adaptive_blur_taps<float>(shape, constant_image<float>({1, 1, 4, 5}, 2.0)),
            17.0 * 17.0 * 120);
  AdaptiveBlurOptions options;
  options.radius = {1, 2};
  EXPECT_EQ(adaptive_blur_taps<float>(shape, constant_image<float>({2, 1, 4, 5}, 2.0), options),
            15.0 * 120);
  // Scattered covariances live on the extended plane where no symmetry folds them.
  AdaptiveBlurOptions scatter;
  scatter.scatter = true;
  Image<float> logchol({1, 3, 4, 5});
  EXPECT_EQ(adaptive_blur_taps<float>(shape, logchol, scatter), 81.0 * 120);
  scatter.extension.mode = Mode::mirror;
  EXPECT_DOUBLE_EQ(adaptive_blur_taps<float>(shape, logchol, scatter),
                   81.0 * 120 * (1 + 8.0 / 4) * (1 + 8.0 / 5));
}

}  // namespace
}  // namespace blurfield::test
