// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/mix.h"

#include "blurfield/ops/uniform_blur.h"
#include "tests/support/derivatives.h"
#include "tests/support/npz.h"

namespace blurfield {
namespace {

template <class T>
Image<T> mixed(const Image<T>& x, const MixSigmas& sigmas, const Image<T>& weight,
               const BlurOptions& options) {
  Image<T> out(x.shape());
  mix<T>(x, sigmas, weight, out, options);
  return out;
}

template <class T>
class Mix : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Mix, Types);

TYPED_TEST(Mix, MatchesTheReference) {
  using T = TypeParam;
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;
  const test::Npz data("mix.npz");
  BlurOptions options;
  options.extension.mode = Mode::constant;
  for (const std::string name : {"mix_scalar", "mix_pixel", "mix_row"}) {
    const auto x = data[name + "/x"].image<T>();
    const auto weight = data[name + "/mix"].image<T>();
    const MixSigmas sigmas{data[name + "/min_sigma"].number(), data[name + "/max_sigma"].number()};
    options.radius.clear();
    for (double sigma : sigmas) options.radius.push_back(static_cast<int>(std::ceil(2 * sigma)));
    const auto out = mixed(x, sigmas, weight, options);
    EXPECT_LT(test::distance(out, data[name + "/out"].image<double>()), tolerance) << name;
    const auto target = data[name + "/target"].image<T>();
    Image<T> cotangent(x.shape());
    for (Index i = 0; i < x.elements(); ++i) cotangent.data()[i] = out.data()[i] - target.data()[i];
    Image<T> grad_x(x.shape());
    Image<T> grad_weight(weight.shape());
    MixSigmas grad{};
    mix_vjp<T>(x, sigmas, weight, cotangent, grad_x, &grad, grad_weight, options);
    EXPECT_LT(test::distance(grad_x, data[name + "/grad_x"].image<double>()), tolerance);
    EXPECT_LT(test::distance(grad_weight, data[name + "/grad_mix"].image<double>()), tolerance);
    EXPECT_NEAR(grad[0], data[name + "/grad_min_sigma"].number(), 50 * tolerance);
    EXPECT_NEAR(grad[1], data[name + "/grad_max_sigma"].number(), 50 * tolerance);
  }
}

TEST(MixDerivatives, MatchDifferencesInAllInputs) {
  const Shape shape{2, 3, 11, 14};
  const auto x = test::random_image<double>(shape, 1);
  const auto x_dot = test::random_image<double>(shape, 2);
  const auto cotangent = test::random_image<double>(shape, 3);
  const MixSigmas sigmas{0.8, 2.5};
  const MixSigmas sigmas_dot{0.5, -0.8};
  BlurOptions options;
  options.extension.cval = 0.5;
  options.radius = {7};
  for (Mode mode : {Mode::reflect, Mode::constant}) {
    options.extension.mode = mode;
    for (const Shape& weights : {Shape{1, 1, 1, 1}, Shape{2, 1, 1, 1}, Shape{1, 1, 11, 1},
                                 Shape{2, 1, 11, 14}, Shape{1, 1, 1, 14}}) {
      const auto weight = test::random_image<double>(weights, 4);
      const auto weight_dot = test::random_image<double>(weights, 5);
      Image<double> grad_x(shape);
      Image<double> grad_weight(weights);
      MixSigmas grad{};
      mix_vjp<double>(x, sigmas, weight, cotangent, grad_x, &grad, grad_weight, options);
      const double slope = test::inner(grad_x, x_dot) + grad[0] * sigmas_dot[0] +
                           grad[1] * sigmas_dot[1] + test::inner(grad_weight, weight_dot);
      test::expect_slope(
          [&](double t) {
            const auto out = mixed(test::moved(x, t, x_dot),
                                   {sigmas[0] + t * sigmas_dot[0], sigmas[1] + t * sigmas_dot[1]},
                                   test::moved(weight, t, weight_dot), options);
            return test::inner(out, cotangent);
          },
          slope);
      Image<double> out_dot(shape);
      mix_jvp<double>(x, sigmas, weight, x_dot, sigmas_dot, weight_dot, out_dot, options);
      EXPECT_NEAR(test::inner(out_dot, cotangent), slope, 1e-11 * (1 + std::abs(slope)));
    }
  }
}

TEST(MixDerivatives, AdjointIsExact) {
  const Shape shape{2, 2, 9, 12};
  const auto weight = test::random_image<double>({2, 1, 9, 12}, 4);
  for (Mode mode : {Mode::reflect, Mode::nearest, Mode::wrap}) {
    BlurOptions options;
    options.extension.mode = mode;
    test::expect_adjoint<double>(
        shape, shape,
        [&](const auto& x) {
          return mixed(x, {1.0, 3.0}, weight, options);
        },
        [&](const auto& y) {
          Image<double> grad(shape);
          mix_vjp<double>(y, {1.0, 3.0}, weight, y, grad, nullptr, {}, options);
          return grad;
        });
  }
}

// Blurs from levels: the derivatives are those of what is computed, which is close to exact.
TEST(MixTolerance, IsKeptAndDifferentiated) {
  const Shape shape{2, 2, 40, 45};
  const auto x = test::random_field<double>(shape, -1.0, 1.0, 1);
  const auto cotangent = test::random_image<double>(shape, 2);
  const auto weight = test::random_field<double>({1, 1, 40, 45}, 0.0, 1.0, 3);
  const auto x_dot = test::random_image<double>(shape, 4);
  const auto weight_dot = test::random_image<double>({1, 1, 40, 45}, 5);
  const MixSigmas sigmas{3.0, 9.0};
  const MixSigmas sigmas_dot{0.4, -0.7};
  BlurOptions options;
  options.tolerance = 1e-2;
  options.method = BlurMethod::stack;
  BlurOptions exact;
  exact.truncate = 8.0;
  EXPECT_LE(test::distance(mixed(x, sigmas, weight, options), mixed(x, sigmas, weight, exact)),
            1e-2);
  Image<double> grad_x(shape);
  Image<double> grad_weight(weight.shape());
  MixSigmas grad{};
  mix_vjp<double>(x, sigmas, weight, cotangent, grad_x, &grad, grad_weight, options);
  const double slope = test::inner(grad_x, x_dot) + grad[0] * sigmas_dot[0] +
                       grad[1] * sigmas_dot[1] + test::inner(grad_weight, weight_dot);
  test::expect_slope(
      [&](double t) {
        const auto out = mixed(test::moved(x, t, x_dot),
                               {sigmas[0] + t * sigmas_dot[0], sigmas[1] + t * sigmas_dot[1]},
                               test::moved(weight, t, weight_dot), options);
        return test::inner(out, cotangent);
      },
      slope);
  Image<double> out_dot(shape);
  mix_jvp<double>(x, sigmas, weight, x_dot, sigmas_dot, weight_dot, out_dot, options);
  EXPECT_NEAR(test::inner(out_dot, cotangent), slope, 1e-11 * (1 + std::abs(slope)));
}

TEST(MixWeights, OneAndZeroAreTheBlurs) {
  const auto x = test::random_image<double>({1, 2, 10, 9}, 1);
  const std::array<double, 1> low{0.7};
  const std::array<double, 1> high{2.0};
  const auto one = test::constant_image<double>({1, 1, 1, 1}, 1.0);
  const auto zero = test::constant_image<double>({1, 1, 1, 1}, 0.0);
  EXPECT_LT(test::distance(mixed(x, {0.7, 2.0}, one, {}), uniform_blur<double>(x, low)), 1e-15);
  EXPECT_LT(test::distance(mixed(x, {0.7, 2.0}, zero, {}), uniform_blur<double>(x, high)), 1e-15);
}

TEST(MixThreads, DoNotChangeABit) {
  const auto x = test::random_image<float>({1, 2, 100, 90}, 1);
  const auto weight = test::random_image<float>({1, 1, 100, 1}, 2);
  std::array<MixSigmas, 2> grad{};
  std::array<Image<float>, 2> grad_weight{Image<float>(weight.shape()),
                                          Image<float>(weight.shape())};
  for (int threads : {1, 2}) {
    BlurOptions options;
    options.execution.threads = threads;
    const auto i = static_cast<std::size_t>(threads - 1);
    mix_vjp<float>(x, {1.0, 3.0}, weight, x, {}, &grad[i], grad_weight[i], options);
  }
  EXPECT_EQ(grad[0], grad[1]);
  EXPECT_TRUE(test::same_bits(grad_weight[0], grad_weight[1]));
}

TEST(MixErrors, NameWhatIsWrong) {
  const auto x = test::random_image<float>({2, 2, 8, 9}, 1);
  Image<float> out(x.shape());
  auto expect_refused = [&](const Shape& weight) {
    EXPECT_THROW(mix<float>(x, {1, 2}, Image<float>(weight), out), Error) << weight.text();
  };
  expect_refused({3, 1, 8, 9});
  expect_refused({1, 2, 8, 9});
  expect_refused({1, 1, 8, 8});
  expect_refused({1, 1, 9});
  const auto nan = test::constant_image<float>({1, 1, 1, 1}, NAN);
  EXPECT_THROW(mix<float>(x, {1, 2}, nan, out), Error);
  const Image<float> weight({1, 1, 1, 1});
  BlurOptions options;
  options.radius = {1, 2, 3};
  EXPECT_THROW(mix<float>(x, {1, 2}, weight, out, options), Error);
  EXPECT_THROW(mix<float>(x, {-1, 2}, weight, out), Error);
  EXPECT_THROW(mix<float>(x, {1, NAN}, weight, out), Error);
  EXPECT_THROW(mix<float>(nan, {1, 1}, nan, out), Error);
}

}  // namespace
}  // namespace blurfield
