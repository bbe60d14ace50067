// SPDX-License-Identifier: BSD-3-Clause
// The uniform blur's impulse response, messages, progress and cost.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/gaussian_kernel.h"
#include "blurfield/ops/uniform_blur.h"
#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"
#include "tests/support/images.h"

namespace blurfield {
namespace {

using test::kModes;
using test::with;
using Parameters = std::vector<double>;

TEST(UniformBlurImpulse, StandsWhereTheKernelSays) {
  Image<double> x({1, 1, 21, 21});
  x.view().at(0, 0, 10, 8) = 1.0;
  const auto out = uniform_blur<double>(x, Parameters{0.5, 1.0, 0.0}, with(Mode::constant));
  const Kernel2d kernel = gaussian_kernel2d_logchol(Logchol{0.5, 1.0, 0.0}, {4, 4});
  const double scale = out.view().at(0, 0, 10, 8) / kernel.at(0, 0);
  EXPECT_NEAR(out.view().at(0, 0, 12, 10), scale * kernel.at(2, 2), 1e-12);
  EXPECT_GT(out.view().at(0, 0, 12, 10), out.view().at(0, 0, 12, 6));
}

RC_GTEST_PROP(UniformBlurProperty, ConstantsStay, ()) {
  const Mode mode = *rc::gen::element(Mode::reflect, Mode::mirror, Mode::nearest, Mode::wrap);
  const Shape shape{1, 1, *rc::gen::inRange<Index>(1, 40), *rc::gen::inRange<Index>(1, 90)};
  const double sigma = 0.1 * *rc::gen::inRange(1, 300);
  const auto x = test::constant_image<double>(shape, 3.0);
  RC_ASSERT(test::distance(uniform_blur<double>(x, Parameters{sigma}, with(mode)), x) < 1e-13);
}

RC_GTEST_PROP(UniformBlurProperty, IsLinear, ()) {
  const Mode mode = *rc::gen::elementOf(kModes);
  const Shape shape{1, 2, *rc::gen::inRange<Index>(1, 30), *rc::gen::inRange<Index>(1, 70)};
  const Parameters p{0.1 * *rc::gen::inRange(1, 50), 0.1 * *rc::gen::inRange(1, 50)};
  const auto x = test::random_image<double>(shape, 1);
  const auto y = test::random_image<double>(shape, 2);
  const auto options = with(mode);
  const auto sum = uniform_blur<double>(test::moved(x, -2.5, y), p, options);
  const auto parts =
      test::moved(uniform_blur<double>(x, p, options), -2.5, uniform_blur<double>(y, p, options));
  RC_ASSERT(test::distance(sum, parts) < 1e-13);
}

RC_GTEST_PROP(UniformBlurProperty, ShiftsWithItsInputUnderWrap, ()) {
  const Index height = *rc::gen::inRange<Index>(1, 30);
  const Index width = *rc::gen::inRange<Index>(1, 70);
  const Index dy = *rc::gen::inRange<Index>(0, height);
  const Index dx = *rc::gen::inRange<Index>(0, width);
  const Parameters p{0.1 * *rc::gen::inRange(-5, 12), 0.1 * *rc::gen::inRange(-20, 20),
                     0.1 * *rc::gen::inRange(-5, 12)};
  auto shifted = [&](const Image<double>& from) {
    Image<double> to(from.shape());
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        to.view().at(0, 0, (y + dy) % height, (x + dx) % width) = from.view().at(0, 0, y, x);
      }
    }
    return to;
  };
  const auto x = test::random_image<double>({1, 1, height, width}, 1);
  const auto options = with(Mode::wrap);
  RC_ASSERT(test::distance(uniform_blur<double>(shifted(x), p, options),
                           shifted(uniform_blur<double>(x, p, options))) < 1e-13);
}

void expect_error(const Image<float>& x, const Parameters& p, const BlurOptions& options,
                  const std::string& expected) {
  try {
    uniform_blur<float>(x, p, options);
    FAIL() << "expected an error with: " << expected;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(UniformBlurErrors, NameWhatIsWrong) {
  auto x = test::random_image<float>({1, 2, 8, 9}, 1);
  expect_error(x, {-1.0}, {}, "got -1");
  expect_error(x, {NAN}, {}, "got nan");
  expect_error(x, {}, {}, "got 0");
  expect_error(x, {1, 1, 1, 1}, {}, "got 4");
  expect_error(Image<float>({1, 2, 9}), {1.0, 1.0}, {}, "got 2");
  expect_error(x, {1e9}, {}, "taps");
  expect_error(x, {1.0}, with(Mode::reflect, 0, {-1}), "radius >= 0");
  expect_error(x, {1.0}, with(Mode::reflect, 0, {1, 1, 1}), "got 3");
  expect_error(x, {1.0}, with(Mode::constant, NAN), "cval");
  expect_error(Image<float>({1, 1, 0, 4}), {1.0}, {}, "(1, 1, 0, 4)");
  expect_error(Image<float>({4, 4}), {1.0}, {}, "(4, 4)");
  Image<float> small({1, 2, 8, 8});
  EXPECT_THROW(uniform_blur<float>(x, Parameters{1.0}, small), Error);
  for (double sigma : {0.0, 0.5, 30.0}) {
    x.view().at(0, 1, 3, 5) = INFINITY;
    expect_error(x, {sigma}, {}, "got inf at (0, 1, 3, 5)");
    x.view().at(0, 1, 2, 8) = NAN;
    expect_error(x, {sigma}, with(Mode::constant), "nan at (0, 1, 2, 8)");
    x.view().at(0, 1, 2, 8) = 0;
  }
}

TEST(UniformBlurProgress, ReportsAndCancels) {
  const auto x = test::random_image<float>({1, 1, 300, 60}, 1);
  BlurOptions options;
  double last = 0.0;
  options.execution.progress = [&](double done) {
    EXPECT_GE(done, last);
    last = done;
    return true;
  };
  uniform_blur<float>(x, Parameters{1.0}, options);
  EXPECT_EQ(last, 1.0);
  last = 0.0;
  Parameters grad(2);
  Image<float> grad_x(x.shape());
  uniform_blur_vjp<float>(x, Parameters{1.0, 2.0}, x, grad_x, grad, options);
  EXPECT_EQ(last, 1.0);
  options.execution.progress = [](double) { return false; };
  EXPECT_THROW(uniform_blur<float>(x, Parameters{1.0}, options), Cancelled);
}

TEST(UniformBlurTaps, CountTheTermsTaps) {
  EXPECT_EQ(uniform_blur_taps({1, 2, 10, 10}, Parameters{1.0}), 200 * 18.0);
  EXPECT_LT(uniform_blur_taps({1, 1, 10, 10}, Parameters{2.0, 3.0, 2.0}), 100 * 61.0 * 99.0);
}

}  // namespace
}  // namespace blurfield
