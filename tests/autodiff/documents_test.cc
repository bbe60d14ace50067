// SPDX-License-Identifier: BSD-3-Clause
// The documents' objectives, written by their value alone, against arrays computed elsewhere.
#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/gaussian.h"
#include "blurfield/autodiff/linearised.h"
#include "blurfield/autodiff/slice.h"
#include "tests/support/autodiff.h"
#include "tests/support/blur_options.h"
#include "tests/support/npz.h"

namespace blurfield::test {
namespace {

// 004: |psf * x - y| / sqrt(2) + mu |D x| / sqrt(2), D the differences of neighbours.
TEST(Documents, Deblurring) {
  const Npz data("deblur.npz");
  const Shape shape{1, 1, 171, 171};
  const auto blurred = data["blur"].image<double>(shape);
  const auto kernel = data["psf"].image<double>({13, 13});
  const double mu = data["mu"].number();
  CorrelateOptions options;
  options.extension.mode = Mode::constant;
  const Var<double> psf = borrow(kernel);
  const Var<double> y = borrow(blurred);
  const auto f = [&](const Var<double>& x) {
    const auto misfit = 0.5 * sum(square(convolve(x, psf, options) - y));
    const auto roughness = sum(square(difference_y(x))) + sum(square(difference_x(x)));
    return sqrt(misfit) + mu * sqrt(0.5 * roughness);
  };
  const auto random = data["point_random/x"].image<double>(shape);
  const auto check = [&](const Image<double>& x, const std::string& point) {
    const auto [value, gradient] = value_and_grad(f, x);
    EXPECT_NEAR(value, data[point + "/objective"].number(), 1e-12 * value);
    EXPECT_LT(distance(gradient[0], data[point + "/grad"].image<double>(shape)), 1e-12);
  };
  check(random, "point_random");
  // The residual there is small against the image: the gradient is a unit vector of its noise.
  const auto v = random_image<double>(shape, 1);
  const auto w = random_image<double>(shape, 2);
  const Gradient at(f, random);
  const auto hv = at.product(v);
  expect_slope([&](double t) { return inner(grad(f, moved(random, t, v))[0], w); },
               inner(hv[0], w));
  EXPECT_NEAR(inner(hv[0], w), inner(at.product(w)[0], v), 1e-11 * norm(hv[0]) * norm(w));
}

// 002: a signal blurred by sigma = soft_maximum(s), the radius following sigma.
TEST(Documents, ScaleOfASignal) {
  const Npz data("oned.npz");
  const auto x = data["oned/x"].image<double>({1, 1, 100});
  const auto target = data["oned/xf"].image<double>({1, 1, 100});
  const auto& s = data["oned/s"].values;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const int radius = static_cast<int>(std::ceil(3 * soft_maximum(s[i])));
    const auto by_blur = [&](const Var<double>& p) {
      const auto options = with(Mode::constant, 0.0, {radius});
      return 0.5 * sum(square(uniform_blur(borrow(x), soft_maximum(p), options) - borrow(target)));
    };
    const auto by_kernel = [&](const Var<double>& p) {
      CorrelateOptions options;
      options.extension.mode = Mode::constant;
      const auto kernel = gaussian_kernel1d(soft_maximum(p), radius);
      return 0.5 * sum(square(correlate(borrow(x), kernel, options) - borrow(target)));
    };
    const auto at = constant_image<double>({1}, s[i]);
    const auto check = [&](const auto& f) {
      const auto [value, gradient] = value_and_grad(f, at);
      EXPECT_NEAR(value, data["oned/loss"].values[i], 1e-11);
      EXPECT_NEAR(gradient[0].data()[0], data["oned/dloss_ds"].values[i], 1e-11);
    };
    check(by_blur);
    check(by_kernel);
  }
}

// 001: a mix of two blurs, by all it depends on.
TEST(Documents, MixOfTwoBlurs) {
  const Npz data("mix.npz");
  for (const std::string name : {"mix_scalar/", "mix_pixel/", "mix_row/"}) {
    const auto target = data[name + "target"].image<double>();
    Image<double> sigmas({2});
    sigmas.data()[0] = data[name + "min_sigma"].number();
    sigmas.data()[1] = data[name + "max_sigma"].number();
    BlurOptions options = with(Mode::constant);
    for (Index i = 0; i < 2; ++i) {
      options.radius.push_back(static_cast<int>(std::ceil(2 * sigmas.data()[i])));
    }
    const auto f = [&](const auto& x, const auto& s, const auto& weight) {
      return 0.5 * sum(square(mix(x, s, weight, options) - borrow(target)));
    };
    const auto [value, gradient] = value_and_grad(f, data[name + "x"].image<double>(), sigmas,
                                                  data[name + "mix"].image<double>());
    EXPECT_NEAR(value, data[name + "loss"].number(), 1e-11);
    EXPECT_LT(distance(gradient[0], data[name + "grad_x"].image<double>()), 1e-12);
    EXPECT_LT(distance(gradient[2], data[name + "grad_mix"].image<double>()), 1e-12);
    EXPECT_NEAR(gradient[1].data()[0], data[name + "grad_min_sigma"].number(), 1e-10);
    EXPECT_NEAR(gradient[1].data()[1], data[name + "grad_max_sigma"].number(), 1e-10);
  }
}

// 000: an adaptive blur by its field, sigma = exp(s) checked through the chain rule; and the same
// blur as a local filter.
TEST(Documents, AdaptiveBlurByItsField) {
  const Npz data("local.npz");
  const std::string name = "local_sphere_b_sd2/";
  const auto x = data[name + "x"].image<double>();
  const auto target = data[name + "target"].image<double>();
  const auto sigma = data[name + "sigma"].image<double>();
  AdaptiveBlurOptions options;
  options.extension.mode = Mode::constant;
  options.radius = {static_cast<int>(data[name + "half"].number())};
  Image<double> s(sigma.shape());
  Image<double> expected(sigma.shape());
  const auto by_sigma = data[name + "grad_sigma"].image<double>();
  for (Index i = 0; i < s.elements(); ++i) {
    s.data()[i] = std::log(sigma.data()[i]);
    expected.data()[i] = by_sigma.data()[i] * sigma.data()[i];
  }
  const auto f = [&](const auto& image, const auto& p) {
    return 0.5 * sum(square(adaptive_blur(image, exp(p), options) - borrow(target)));
  };
  const auto [value, gradient] = value_and_grad(f, x, s);
  EXPECT_NEAR(value, data[name + "loss"].number(), 1e-10);
  EXPECT_LT(distance(gradient[0], data[name + "grad_x"].image<double>()), 1e-12);
  EXPECT_LT(distance(gradient[1], expected), 1e-11);

  // The weights of every pixel from elementary functions: exp(-d^2 / (2 sigma^2)), normalised.
  const Index side = 2 * options.radius[0] + 1;
  Image<double> squares({1, side * side, 1, 1});
  for (Index i = 0; i < squares.elements(); ++i) {
    const Index dy = i / side - options.radius[0];
    const Index dx = i % side - options.radius[0];
    squares.data()[i] = static_cast<double>(dy * dy + dx * dx);
  }
  LocalFilterOptions local;
  local.window = {side, side};
  local.extension = options.extension;
  const auto by_filter = [&](const auto& image, const auto& p) {
    const auto raw = exp(-0.5 * borrow(squares) / square(exp(p)));
    const auto weights = raw / sum_to(raw, p.shape());
    return 0.5 * sum(square(local_filter(image, weights, local) - borrow(target)));
  };
  const auto other = value_and_grad(by_filter, x, s);
  EXPECT_NEAR(other.value, value, 1e-10);
  EXPECT_LT(distance(other.gradient[0], gradient[0]), 1e-12);
  EXPECT_LT(distance(other.gradient[1], gradient[1]), 1e-11);
  const auto v = random_image<double>(s.shape(), 3);  // this form has second derivatives too
  const auto by_s = [&](const auto& p) { return by_filter(borrow(x), p); };
  expect_slope([&](double t) { return inner(grad(by_s, moved(s, t, v))[0], v); },
               inner(hvp(by_s, s, v)[0], v));
}

}  // namespace
}  // namespace blurfield::test
