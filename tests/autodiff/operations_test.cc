// SPDX-License-Identifier: BSD-3-Clause
// The operations of ops/ on Vars, called from the table of functions_test.cc.
#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/operation.h"
#include "tests/autodiff/checks.h"
#include "tests/support/fields.h"

namespace blurfield::test {

void check_adaptive_blur() {
  for (const Shape& shape : {Shape{2, 2, 6, 7}, Shape{1, 2, 11}}) {
    for (Index kind = 1; kind <= (shape.rank() == 3 ? 1 : 3); ++kind) {
      for (bool scatter : {false, true}) {
        for (const Mode mode : {Mode::reflect, Mode::constant}) {
          SCOPED_TRACE(message(shape.text(), " kind ", kind, scatter, mode_name(mode)));
          AdaptiveBlurOptions options;
          options.radius = {3};
          options.scatter = scatter;
          options.extension = {mode, 0.7};
          const auto f = [&](const auto& x, const auto& field) {
            return adaptive_blur(x, field, options);
          };
          Images<double, 2> in{random_image<double>(shape, 1), field_of(shape, kind, 0.6, 1.5)};
          expect_derivatives(f, in, "adaptive_blur: no second derivative by the field");
          const auto field = in[1].view();
          expect_derivatives(
              [&]<class T>(const Var<T>& x) {
                return f(x, Var<T>(converted<T>(Image<double>(field))));
              },
              Images<double, 1>{std::move(in[0])});
        }
      }
    }
  }
}

void check_uniform_blur() {
  for (const Mode mode : {Mode::reflect, Mode::constant}) {
    for (Index count : {1, 2, 3}) {
      BlurOptions options;
      options.radius = {4};
      options.extension = {mode, 0.7};
      const auto f = [&](const auto& x, const auto& g) { return uniform_blur(x, g, options); };
      expect_derivatives(f, pair({2, 2, 6, 9}, {count}),
                         "uniform_blur: no second derivative by the Gaussian");
      expect_derivatives([&](const auto& x) { return f(x, 0.8); }, normal());
    }
  }
  EXPECT_THROW(uniform_blur(Var<float>(Image<float>(kShape)), Var<float>(Image<float>({4}))),
               Error);
}

void check_mix() {
  BlurOptions options;
  options.radius = {4};
  for (const Mode mode : {Mode::reflect, Mode::constant}) {
    options.extension = {mode, 0.7};
    for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 1, 6, 1}, Shape{1, 1, 6, 9}}) {
      SCOPED_TRACE(shape.text());
      Images<double, 3> in{random_image<double>({2, 2, 6, 9}, 1), Image<double>({2}),
                           random_image<double>(shape, 2)};
      in[1].data()[0] = 0.7;
      in[1].data()[1] = 1.6;
      const auto f = [&](const auto& x, const auto& sigmas, const auto& weight) {
        return mix(x, sigmas, weight, options);
      };
      expect_derivatives(f, in, "mix: no second derivative by the sigmas");
      const auto fixed = [&]<class T>(const Var<T>& x, const Var<T>& weight) {
        return f(x, constant(Var<T>(converted<T>(in[1]))), weight);
      };
      expect_derivatives(fixed, Images<double, 2>{std::move(in[0]), std::move(in[2])});
    }
  }
}

void check_correlate(bool flip) {
  const Shape image{2, 3, 8, 9};
  for (const Shape& kernel : {Shape{3, 4}, Shape{3, 3, 2}, Shape{2, 3, 3, 3}}) {
    for (const Mode mode : {Mode::mirror, Mode::constant}) {
      CorrelateOptions options;
      options.extension = {mode, 0.4};
      if (kernel.rank() == 4) options.stride = {2};
      const auto f = [&](const auto& x, const auto& k) {
        return flip ? convolve(x, k, options) : correlate(x, k, options);
      };
      expect_derivatives(f, pair(image, kernel));
    }
  }
}

void check_local_filter() {
  for (Index batch : {1, 2}) {
    for (const Mode mode : {Mode::nearest, Mode::constant}) {
      LocalFilterOptions options;
      options.window = {3, 2};
      options.extension = {mode, 0.4};
      expect_derivatives([&](const auto& x, const auto& w) { return local_filter(x, w, options); },
                         pair({2, 3, 6, 5}, {batch, 6, 6, 5}));
    }
  }
}

void check_columns(bool pack) {
  CorrelateOptions options;
  options.extension = {Mode::constant, 0.4};
  const Shape image{2, 3, 6, 5};
  const std::vector<Index> window{3, 2};
  if (pack) {
    expect_derivatives([&](const auto& x) { return im2col(x, window, options); }, normal(image));
  } else {
    expect_derivatives([&](const auto& c) { return col2im(c, window, image, options); },
                       normal({2, 18, 30}));
  }
}

void check_operation() {  // the binding by itself: a third derivative, and threads
  const auto x = random_image<double>({1, 1, 6, 7}, 1);
  const auto k = random_image<double>({3, 3}, 2);
  const auto v = random_image<double>(x.shape(), 3);
  const auto gradient_of_product = [&](const Image<double>& at) {
    const Var<double> in = input(borrow(at));
    const Var<double> kernel = input(borrow(k));
    const Var<double> y = sum(square(square(correlate(in, kernel))));
    const std::vector all{in, kernel};
    const auto g = Tape<double>({y}, all, Tape<double>::Kind::live).pull({1.0});
    const auto hv = Tape<double>({g[0]}, all, Tape<double>::Kind::live).pull({borrow(v)});
    const Var<double> product = dot(hv[0], borrow(v));
    return std::pair(product.item(),
                     Tape<double>({product}, all, Tape<double>::Kind::frozen).pull({1.0}));
  };
  const auto third = gradient_of_product(x).second;
  expect_slope([&](double t) { return gradient_of_product(moved(x, t, v)).first; },
               inner(Image<double>(third[0].value()), v));
  EXPECT_EQ(third[1].shape(), k.shape());
}

}  // namespace blurfield::test
