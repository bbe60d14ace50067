// SPDX-License-Identifier: BSD-3-Clause
// Every derivative of a function of Vars, checked.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/grad.h"
#include "tests/support/derivatives.h"

namespace blurfield::test {

template <class T, std::size_t N>
using Images = std::array<Image<T>, N>;

// use(x[0], x[1], ...)
template <class T, std::size_t N, class Use>
auto spread(const Images<T, N>& x, const Use& use) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return use(x[I]...); }
  (std::make_index_sequence<N>());
}

template <std::size_t N>
Images<double, N> moved(const Images<double, N>& x, double t, const Images<double, N>& d) {
  Images<double, N> all;
  for (std::size_t i = 0; i < N; ++i) all[i] = moved(x[i], t, d[i]);
  return all;
}

template <class T, std::size_t N>
double inner(const Images<T, N>& a, const Images<T, N>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < N; ++i) sum += inner(a[i], b[i]);
  return sum;
}

template <std::size_t N>
Images<double, N> directions(const Images<double, N>& x, std::uint64_t seed) {
  Images<double, N> all;
  for (std::size_t i = 0; i < N; ++i) all[i] = random_image<double>(x[i].shape(), seed + i);
  return all;
}

// f at x, linearised: the jvp against differences, the vjp against the jvp, also for the cotangent
// of a sum, whose strides are 0; in float, both against double.
template <std::size_t N, class F>
void expect_first_derivatives(const F& f, const Images<double, N>& x) {
  const auto d = directions(x, 11);
  auto linear = spread(x, [&](const auto&... each) { return Linearised<double, N>(f, each...); });
  const auto u = random_image<double>(linear.value().shape, 31);
  const auto out_dot = spread(d, [&](const auto&... each) { return linear.jvp(each...); });
  const auto value = [&](double t) {
    const auto at = moved(x, t, d);
    const auto here =
        spread(at, [&](const auto&... each) { return Linearised<double, N>(f, each...); });
    return inner(u, Image<double>(here.value()));
  };
  const double slope = inner(u, out_dot);
  expect_slope(value, slope);
  const double scale = norm(u) * norm(out_dot) + 1e-30;
  EXPECT_NEAR(inner(linear.vjp(u), d) / scale, slope / scale, 1e-11);
  const auto summed = spread(x, [&](const auto&... each) {
    return grad([&](auto... v) { return sum(f(v...)); }, each...);
  });
  const auto ones = linear.vjp(constant_image<double>(u.shape(), 1.0));
  for (std::size_t i = 0; i < N; ++i) EXPECT_LT(distance(summed[i], ones[i]), 1e-11);

  Images<float, N> x32;
  Images<float, N> d32;
  for (std::size_t i = 0; i < N; ++i) {
    x32[i] = converted<float>(x[i]);
    d32[i] = converted<float>(d[i]);
  }
  auto linear32 =
      spread(x32, [&](const auto&... each) { return Linearised<float, N>(f, each...); });
  const auto dot32 = spread(d32, [&](const auto&... each) { return linear32.jvp(each...); });
  EXPECT_LT(distance(dot32, out_dot), 1e-4);
  const auto by_x32 = linear32.vjp(converted<float>(u));
  const auto by_x = linear.vjp(u);
  for (std::size_t i = 0; i < N; ++i) EXPECT_LT(distance(by_x32[i], by_x[i]), 1e-4);
}

// Hessian products of h = |f|^2 / 2 + <u, f> against differences of its gradient, and symmetric.
template <std::size_t N, class F>
void expect_second_derivatives(const F& f, const Images<double, N>& x) {
  const Shape shape =
      spread(x, [&](const auto&... each) { return Linearised<double, N>(f, each...); })
          .value()
          .shape;
  const auto u = random_image<double>(shape, 31);
  const auto h = [&](const auto&... v) {
    const auto y = f(v...);
    return 0.5 * dot(y, y) + dot(borrow(u), y);
  };
  const auto v = directions(x, 11);
  const auto w = directions(x, 21);
  const auto at = spread(x, [&](const auto&... each) { return Gradient<double, N>(h, each...); });
  const auto hv = spread(v, [&](const auto&... each) { return at.product(each...); });
  const auto hw = spread(w, [&](const auto&... each) { return at.product(each...); });
  const auto slope_of_gradient = [&](double t) {
    const auto there = moved(x, t, v);
    return inner(w, spread(there, [&](const auto&... each) { return grad(h, each...); }));
  };
  expect_slope(slope_of_gradient, inner(hv, w));
  const double scale = std::max({std::abs(inner(hv, w)), std::abs(inner(hv, v)), 1e-3});
  EXPECT_NEAR(inner(hv, w) / scale, inner(hw, v) / scale, 1e-10);
}

// Both; or, where `missing` is not empty, that a second derivative throws a message with this text.
template <std::size_t N, class F>
void expect_derivatives(const F& f, const Images<double, N>& x, const std::string& missing = "") {
  expect_first_derivatives(f, x);
  if (missing.empty()) return expect_second_derivatives(f, x);
  const auto at = spread(x, [&](const auto&... each) {
    return Gradient([&](auto... v) { return sum(f(v...)); }, each...);
  });
  try {
    spread(x, [&](const auto&... each) { return at.product(each...); });
    ADD_FAILURE() << "expected '" << missing << "', nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(missing), std::string::npos) << error.what();
  }
}

}  // namespace blurfield::test
