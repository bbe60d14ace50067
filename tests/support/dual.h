// SPDX-License-Identifier: BSD-3-Clause
// Numbers value + slope e with e^2 = 0: exact derivatives of formulas, second ones when nested.
#pragma once

#include <cmath>

namespace blurfield::test {

template <class S>
struct Dual {
  S value{};
  S slope{};

  Dual() = default;
  Dual(double number) : value(number) {}  // NOLINT(google-explicit-constructor)
  Dual(const S& v, const S& s) : value(v), slope(s) {}

  friend Dual operator+(const Dual& a, const Dual& b) {
    return {a.value + b.value, a.slope + b.slope};
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    return {a.value - b.value, a.slope - b.slope};
  }
  friend Dual operator-(const Dual& a) { return Dual(0.0) - a; }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const S quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
  Dual& operator+=(const Dual& other) { return *this = *this + other; }
  Dual& operator*=(const Dual& other) { return *this = *this * other; }
};

template <class S>
Dual<S> exp(const Dual<S>& x) {
  using std::exp;
  const S e = exp(x.value);
  return {e, e * x.slope};
}
template <class S>
Dual<S> sqrt(const Dual<S>& x) {
  using std::sqrt;
  const S root = sqrt(x.value);
  return {root, x.slope / (2.0 * root)};
}
template <class S>
Dual<S> sin(const Dual<S>& x) {
  using std::cos, std::sin;
  return {sin(x.value), cos(x.value) * x.slope};
}
template <class S>
Dual<S> cos(const Dual<S>& x) {
  using std::cos, std::sin;
  return {cos(x.value), -sin(x.value) * x.slope};
}
template <class S>
Dual<S> atan2(const Dual<S>& y, const Dual<S>& x) {
  using std::atan2;
  return {atan2(y.value, x.value),
          (y.slope * x.value - x.slope * y.value) / (x.value * x.value + y.value * y.value)};
}

}  // namespace blurfield::test
