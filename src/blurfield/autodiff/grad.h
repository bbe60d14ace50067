// SPDX-License-Identifier: BSD-3-Clause
// Derivatives of a function f of Vars, which is all that its user writes:
//   const auto [value, gradient] = value_and_grad([&](const Var<double>& s) {
//     return 0.5 * sum(square(adaptive_blur(x, exp(s)) - y)); }, s);
//   const auto [by_x, by_y] = grad(f, x, y);  // an array of images, one per input
// What f, inputs and directions may be, and what is thrown, is said in linearised.h, which also has
// the objects to take for several derivatives at one x.
#pragma once

#include <tuple>

#include "blurfield/autodiff/linearised.h"

namespace blurfield {

template <class T, std::size_t N>
struct ValueAndGrad {
  double value = 0.0;
  std::array<Image<T>, N> gradient;  // by each input, of its shape
};

template <class F, class... X, class T = detail::Element<X...>>
ValueAndGrad<T, sizeof...(X)> value_and_grad(const F& f, const X&... x) {
  constexpr std::size_t kN = sizeof...(X);
  const auto in = detail::inputs<T>(x...);
  Var<T> y = detail::call<kN>(f, in, true);
  const double value = y.item();
  const Var<T> one = repeat(Var<T>(1), y.shape());
  Tape<T> tape({std::exchange(y, {})}, in, Tape<T>::Kind::frozen);
  return {value, detail::to_images<kN>(std::move(tape).pull({one}), in)};
}

template <class F, class... X, class T = detail::Element<X...>>
std::array<Image<T>, sizeof...(X)> grad(const F& f, const X&... x) {
  return value_and_grad(f, x...).gradient;
}

// The gradients of <cotangent, f> by each input.
template <class F, class U, class... X>
auto vjp(const F& f, const U& cotangent, const X&... x) {
  return Linearised(f, x...).vjp(cotangent);
}

namespace detail {
// act(the first half of all, the second half), each as a pack.
template <class Act, class... A>
auto halves(const Act& act, const A&... all) {
  static_assert(sizeof...(A) % 2 == 0, "expected one direction per input");
  const std::array vars{as_var(all)...};
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return act(std::tuple{vars[I]...}, std::tuple{vars[sizeof...(A) / 2 + I]...});
  }
  (std::make_index_sequence<sizeof...(A) / 2>());
}
}  // namespace detail

// jvp(f, x, y, x_dot, y_dot): the derivative of f along one direction per input.
template <class F, class... A>
auto jvp(const F& f, const A&... x_and_v) {
  return detail::halves(
      [&](const auto& x, const auto& v) {
        auto linear = std::apply([&](auto&... each) { return Linearised(f, each...); }, x);
        return std::apply([&](auto&... each) { return linear.jvp(each...); }, v);
      },
      x_and_v...);
}

// hvp(f, x, y, x_dot, y_dot): the Hessian of f times one direction per input, exact.
template <class F, class... A>
auto hvp(const F& f, const A&... x_and_v) {
  return detail::halves(
      [&](const auto& x, const auto& v) {
        const auto at = std::apply([&](auto&... each) { return Gradient(f, each...); }, x);
        return std::apply([&](auto&... each) { return at.product(each...); }, v);
      },
      x_and_v...);
}

}  // namespace blurfield
