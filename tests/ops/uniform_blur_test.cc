// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/uniform_blur.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/soft_maximum.h"
#include "tests/reference/correlate.h"
#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"
#include "tests/support/npz.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

using test::kModes;
using test::with;
using Parameters = std::vector<double>;

template <class T>
constexpr double kTolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;

// The definition: the sampled 2-D kernel, tap by tap.
Image<double> twin(const Image<double>& x, const Parameters& p, const BlurOptions& options) {
  const bool signal = x.shape().rank() == 3;
  auto radius = [&](double sigma, std::size_t axis) {
    if (options.radius.empty())
      return gaussian_radius(sigma, options.truncate.value_or(kDefaultTruncate));
    return options.radius[options.radius.size() == 1 || signal ? 0 : axis];
  };
  if (p.size() == 3) {
    const Logchol logchol{p[0], p[1], p[2]};
    const auto sigma = logchol_to_sigma(logchol);
    const std::array<int, 2> radii{radius(sigma[0], 0), radius(sigma[1], 1)};
    return test::correlate_2d(x, gaussian_kernel2d_logchol(logchol, radii), options.extension);
  }
  Image<double> out(x.view());
  for (int axis = signal ? 1 : 0; axis < 2; ++axis) {
    const double sigma = axis == 0 ? p.front() : p.back();
    if (sigma == 0) continue;
    const int r = radius(sigma, static_cast<std::size_t>(axis));
    out = test::correlate_axis(out, gaussian_kernel1d(sigma, r), axis, options.extension);
  }
  return out;
}

template <class T>
class UniformBlur : public ::testing::Test {
 protected:
  static Image<T> blur(const Image<T>& x, const Parameters& p, const BlurOptions& options) {
    return uniform_blur<T>(x, p, options);
  }
  static Image<T> adjoint(const Image<T>& y, const Parameters& p, const BlurOptions& options) {
    Image<T> grad(y.shape());
    uniform_blur_vjp<T>(y, p, y, grad, {}, options);
    return grad;
  }
  static void expect_twin(const Shape& shape, const Parameters& p, const BlurOptions& options) {
    const auto x = test::random_image<T>(shape, 7);
    EXPECT_LT(test::distance(blur(x, p, options), twin(test::converted<double>(x), p, options)),
              kTolerance<T>)
        << shape.text() << " sigma " << p[0] << ' ' << mode_name(options.extension.mode);
  }
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(UniformBlur, Types);

// A case of blur_global.npz: result, gradient by x and by the parameters of loss 1/2 |out - t|^2.
template <class T>
void expect_reference(const test::Npz& data, const std::string& name, const Shape& shape,
                      const Parameters& p, const std::vector<int>& radius, const Parameters& grad) {
  const BlurOptions options = with(Mode::constant, 0.0, radius);
  const auto x = data[name + "/x"].image<T>(shape);
  const auto target = data[name + "/target"].image<T>(shape);
  const Image<T> out = uniform_blur<T>(x, p, options);
  EXPECT_LT(test::distance(out, data[name + "/out"].image<double>(shape)), kTolerance<T>) << name;
  Image<T> cotangent(shape);
  std::transform(out.data(), out.data() + out.elements(), target.data(), cotangent.data(),
                 [](T a, T b) { return a - b; });
  Image<T> grad_x(shape);
  Parameters got(p.size());
  uniform_blur_vjp<T>(x, p, cotangent, grad_x, got, options);
  EXPECT_LT(test::distance(grad_x, data[name + "/grad_x"].image<double>(shape)), kTolerance<T>);
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_NEAR(got[i], grad[i], kTolerance<T> * (10 + std::abs(grad[i]))) << name;
  }
}

TYPED_TEST(UniformBlur, MatchesTheReference) {
  const test::Npz data("blur_global.npz");
  auto number = [&](const std::string& key) { return data[key].number(); };
  auto radius = [&](const std::string& key) { return static_cast<int>(number(key)); };
  for (const std::string name : {"blur1d_s0.3_sd2", "blur1d_s1.7_sd3", "blur1d_s4.3_sd6",
                                 "blur2d_sphere_s0.3_sd2", "blur2d_sphere_s4.3_sd3"}) {
    const Shape shape = name[4] == '1' ? Shape{2, 3, 50} : Shape{2, 3, 20, 27};
    expect_reference<TypeParam>(data, name, shape, {number(name + "/sigma")},
                                {radius(name + "/half")}, {number(name + "/grad_sigma")});
  }
  const Shape image{2, 3, 20, 27};
  for (const std::string name : {"blur2d_diag_0_sd3", "blur2d_diag_1_sd2"}) {
    expect_reference<TypeParam>(data, name, image,
                                {number(name + "/sigma_y"), number(name + "/sigma_x")},
                                {radius(name + "/half_y"), radius(name + "/half_x")},
                                {number(name + "/grad_sigma_y"), number(name + "/grad_sigma_x")});
  }
  for (const std::string name : {"blur2d_full_0_sd2", "blur2d_full_1_sd3", "blur2d_full_2_sd6"}) {
    const auto& p = data[name + "/cov"].values;  // y points up there
    const auto& g = data[name + "/grad_cov"].values;
    expect_reference<TypeParam>(data, name, image, {p[0], -p[1], p[2]},
                                {radius(name + "/half_y"), radius(name + "/half_x")},
                                {g[0], -g[1], g[2]});
  }
}

TYPED_TEST(UniformBlur, DifferenceOfGaussiansMatchesTheReference) {
  using T = TypeParam;
  const test::Npz data("blur_global.npz");
  for (const std::string name : {"dog1d_sd3", "dog2d_sd2"}) {
    const Shape shape = name[3] == '1' ? Shape{2, 3, 50} : Shape{2, 3, 20, 27};
    const BlurOptions options =
        with(Mode::constant, 0.0, {static_cast<int>(data[name + "/half"].number())});
    const auto x = data[name + "/x"].image<T>(shape);
    auto out = this->blur(x, {data[name + "/sigma_center"].number()}, options);
    const auto surround = this->blur(x, {data[name + "/sigma_surround"].number()}, options);
    for (Index i = 0; i < out.elements(); ++i) out.data()[i] -= surround.data()[i];
    EXPECT_LT(test::distance(out, data[name + "/out"].image<double>(shape)), kTolerance<T>);
  }
}

TEST(UniformBlurSignal, LossAndGradientMatchTheReference) {
  const test::Npz data("oned.npz");
  const auto x = data["oned/x"].image<double>({1, 1, 100});
  const auto target = data["oned/xf"].image<double>({1, 1, 100});
  const auto& s = data["oned/s"].values;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const double sigma = soft_maximum(s[i]);
    const auto options = with(Mode::constant, 0.0, {static_cast<int>(std::ceil(3 * sigma))});
    const auto out = uniform_blur<double>(x, Parameters{sigma}, options);
    const auto error = test::moved(out, -1.0, target);
    EXPECT_NEAR(0.5 * test::inner(error, error), data["oned/loss"].values[i], 1e-11);
    double gradient = 0.0;
    uniform_blur_vjp<double>(x, Parameters{sigma}, error, {}, {&gradient, 1}, options);
    EXPECT_NEAR(gradient * soft_maximum_derivative(s[i]), data["oned/dloss_ds"].values[i], 1e-11);
  }
}

TYPED_TEST(UniformBlur, EqualsTheTwinOnAllSizesAndModes) {
  const std::vector<std::pair<Index, Index>> sizes{{1, 1},  {1, 2},   {2, 1},  {3, 5},   {7, 16},
                                                   {16, 7}, {13, 31}, {49, 5}, {67, 129}};
  for (Mode mode : kModes) {
    for (const auto& [height, width] : sizes) {
      const Shape shape{height < 20 ? 2 : 1, height < 20 ? 3 : 1, height, width};
      for (double sigma : {0.3, 1.1, 2.6}) this->expect_twin(shape, {sigma}, with(mode, 0.7));
      this->expect_twin(shape, {0.9, 3.2}, with(mode, -0.4));
      this->expect_twin(shape, {2.5, 0.0}, with(mode, -0.4));
      this->expect_twin(shape, {0.0, 1.5}, with(mode, -0.4));
      this->expect_twin(shape, {0.2, 0.5, -0.1}, with(mode, 0.3));
    }
    for (Index length : {1, 2, 9, 100, 1000}) {
      this->expect_twin({2, 3, length}, {1.7}, with(mode, 0.7));
    }
  }
}

TYPED_TEST(UniformBlur, RadiusMayExceedTheImage) {
  for (Mode mode : kModes) {
    for (const Shape& shape : {Shape{2, 3, 1, 1}, Shape{1, 2, 5, 8}, Shape{1, 1, 19, 30}}) {
      this->expect_twin(shape, {11.0}, with(mode, 0.7));
      this->expect_twin(shape, {40.0, 3.0}, with(mode, 0.7));
      this->expect_twin(shape, {2.0, 1.5, 2.2}, with(mode, 0.7));
      this->expect_twin(shape, {0.8}, with(mode, 0.7, {40}));
    }
    this->expect_twin({1, 2, 13}, {30000.0}, with(mode, 0.7, {100000}));
    this->expect_twin({1, 1, 13}, {2.0}, with(mode, 0.7, {100000}));
  }
}

TYPED_TEST(UniformBlur, LongKernelsKeepTheirPrecision) {
  using T = TypeParam;
  const auto x = test::random_field<T>({1, 1, 3, 3000}, 0.5, 1.5, 3);
  for (double sigma : {20.0, 200.0}) {
    const auto options = with(Mode::reflect);
    EXPECT_LT(test::distance(this->blur(x, {0.0, sigma}, options),
                             twin(test::converted<double>(x), {0.0, sigma}, options)),
              sizeof(T) == 4 ? 1e-6 : 1e-13);
  }
}

TYPED_TEST(UniformBlur, WideImagesAreCutIntoTiles) {
  for (Mode mode : kModes) this->expect_twin({1, 1, 2, 9001}, {0.0, 9.0}, with(mode, 0.5));
}

TYPED_TEST(UniformBlur, LargeResultsGoPastTheCaches) {
  this->expect_twin({1, 1, 1450, 1456}, {0.3, 0.7}, with(Mode::reflect));
  this->expect_twin({1, 1, 1450, 1453}, {0.3, 0.7}, with(Mode::reflect));
}

TYPED_TEST(UniformBlur, FullCovarianceFromNarrowToLong) {
  for (const Parameters& p : {Parameters{0.0, 0.0, 0.0}, Parameters{1.0, 2.5, -1.0},
                              Parameters{1.6, -4.0, 0.2}, Parameters{-3.0, 2.0, -3.0}}) {
    this->expect_twin({1, 1, 33, 40}, p, with(Mode::mirror));
  }
}

TYPED_TEST(UniformBlur, AnyStrides) {
  using T = TypeParam;
  const auto source = test::random_image<T>({2, 3, 17, 22}, 5);
  const auto plain = this->blur(source, {1.3, 2.1}, with(Mode::wrap));
  // x runs backwards over every other element, y backwards.
  Image<T> room({2, 3, 17, 44});
  Image<T> result_room({2, 3, 17, 44});
  const std::array<Index, kMaxRank> strides{3 * 17 * 44, 17 * 44, -44, -2, 0};
  const View<T> x(room.data() + 16 * 44 + 43, source.shape(), strides);
  const View<T> out(result_room.data() + 16 * 44 + 43, source.shape(), strides);
  copy<T>(source, x);
  uniform_blur<T>(x, Parameters{1.3, 2.1}, out, with(Mode::wrap));
  EXPECT_TRUE(test::same_bits(Image<T>(View<const T>(out)), plain));
  // Signals whose rows are not equally far apart.
  const auto signals = test::random_image<T>({2, 3, 50}, 6);
  Image<T> spaced({2, 5, 50});
  const View<T> gaps(spaced.data(), {2, 3, 50}, {5 * 50, 50, 1, 0, 0});
  uniform_blur<T>(signals, Parameters{1.3}, gaps, with(Mode::wrap));
  EXPECT_TRUE(
      test::same_bits(Image<T>(View<const T>(gaps)), this->blur(signals, {1.3}, with(Mode::wrap))));
}

TYPED_TEST(UniformBlur, ThreadsDoNotChangeABit) {
  using T = TypeParam;
  const auto x = test::random_image<T>({2, 2, 150, 200}, 5);
  const auto y = test::random_image<T>(x.shape(), 6);
  for (const Parameters& p : {Parameters{2.0}, Parameters{0.5, 0.6, 0.7}}) {
    std::array<Image<T>, 2> out;
    std::array<Image<T>, 2> grad;
    std::array<Parameters, 2> slope{Parameters(p.size()), Parameters(p.size())};
    for (int threads : {1, 2}) {
      BlurOptions options = with(Mode::reflect);
      options.execution.threads = threads;
      const auto i = static_cast<std::size_t>(threads - 1);
      out[i] = this->blur(x, p, options);
      grad[i] = Image<T>(x.shape());
      uniform_blur_vjp<T>(x, p, y, grad[i], slope[i], options);
    }
    EXPECT_TRUE(test::same_bits(out[0], out[1]));
    EXPECT_TRUE(test::same_bits(grad[0], grad[1]));
    EXPECT_EQ(slope[0], slope[1]);
  }
}

TYPED_TEST(UniformBlur, EverySimdTarget) {
  test::for_each_target([&] {
    for (Mode mode : {Mode::reflect, Mode::wrap}) {
      this->expect_twin({1, 2, 53, 71}, {1.4, 18.0}, with(mode));
      this->expect_twin({1, 1, 6, 3}, {1.4}, with(mode));
      this->expect_twin({2, 2, 70}, {2.4}, with(mode));
    }
  });
}

TYPED_TEST(UniformBlur, AdjointIsExact) {
  using T = TypeParam;
  for (Mode mode : kModes) {
    for (const Shape& shape : {Shape{2, 3, 9, 14}, Shape{1, 1, 1, 1}, Shape{1, 2, 60, 53}}) {
      for (const Parameters& p : {Parameters{0.4}, Parameters{1.5}, Parameters{0.0, 3.0},
                                  Parameters{12.0, 30.0}, Parameters{0.7, 1.2, -0.2}}) {
        const auto options = with(mode);
        test::expect_adjoint<T>(
            shape, shape, [&](const Image<T>& x) { return this->blur(x, p, options); },
            [&](const Image<T>& y) { return this->adjoint(y, p, options); });
      }
    }
    const auto options = with(mode);
    test::expect_adjoint<T>(
        {2, 3, 40}, {2, 3, 40}, [&](const Image<T>& x) { return this->blur(x, {2.2}, options); },
        [&](const Image<T>& y) { return this->adjoint(y, {2.2}, options); });
  }
}

TEST(UniformBlurDerivatives, MatchDifferencesInEveryParameter) {
  const Shape shape{2, 3, 13, 17};
  const auto x = test::random_image<double>(shape, 1);
  const auto x_dot = test::random_image<double>(shape, 2);
  const auto cotangent = test::random_image<double>(shape, 3);
  for (Mode mode : kModes) {
    for (const Parameters& p : {Parameters{1.3}, Parameters{0.4}, Parameters{0.8, 2.1},
                                Parameters{0.3, -0.9, 0.2}, Parameters{5.0, 9.0}}) {
      const auto options = with(mode, 0.6, {8});
      Parameters dot(p.size());
      for (std::size_t i = 0; i < p.size(); ++i) dot[i] = 0.5 - 0.7 * static_cast<double>(i);
      auto along = [&](double t) {
        Parameters at = p;
        for (std::size_t i = 0; i < p.size(); ++i) at[i] += t * dot[i];
        return test::inner(uniform_blur<double>(test::moved(x, t, x_dot), at, options), cotangent);
      };
      Image<double> grad_x(shape);
      Parameters grad(p.size());
      uniform_blur_vjp<double>(x, p, cotangent, grad_x, grad, options);
      double slope = test::inner(grad_x, x_dot);
      for (std::size_t i = 0; i < p.size(); ++i) slope += grad[i] * dot[i];
      test::expect_slope(along, slope, 1e-3);
      Image<double> out_dot(shape);
      uniform_blur_jvp<double>(x, p, x_dot, dot, out_dot, options);
      EXPECT_NEAR(test::inner(out_dot, cotangent), slope, 1e-11 * (1 + std::abs(slope)));
    }
  }
}

TEST(UniformBlurDerivatives, AnAxisLeftAloneHasNone) {
  const auto x = test::random_image<double>({1, 1, 9, 9}, 1);
  Parameters grad(2, NAN);
  uniform_blur_vjp<double>(x, Parameters{0.0, 1.0}, x, {}, grad);
  EXPECT_EQ(grad[0], 0.0);
  EXPECT_NE(grad[1], 0.0);
  Image<double> out_dot(x.shape());
  uniform_blur_jvp<double>(x, Parameters{0.0, 0.0}, {}, Parameters{1.0, 1.0}, out_dot);
  EXPECT_EQ(test::norm(out_dot), 0.0);
}

}  // namespace
}  // namespace blurfield
