// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/elementwise.h"

#include <algorithm>
#include <cmath>

#include "blurfield/autodiff/detail/map.h"
#include "blurfield/autodiff/reduce.h"

namespace blurfield {
namespace {

// f(a), whose rule multiplies the cotangent with slope(a, f(a)); what the slope uses is kept.
enum class Uses { input, output };
template <Uses kUses, class T, class F, class Slope>
Var<T> unary(Var<T> a, const F& f, const Slope& slope) {
  constexpr bool kInput = kUses == Uses::input;
  std::array parents{kInput && a.needs_gradient() ? a : edge(a)};
  Var<T> out = detail::map(f, std::move(a));
  const auto rule = [slope](const Pull<T, 1>& p) {
    return std::array{slope(std::move(p.cotangent), kInput ? p.parents[0] : p.output)};
  };
  if constexpr (kInput) {
    out = record(std::move(out), std::move(parents), rule);
  } else {
    out = record_with_output(std::move(out), std::move(parents), rule);
  }
  if (out.node()) out.node()->takes_number = true;
  return out;
}

// 1 / a, and 0 at 0.
template <class T>
Var<T> reciprocal_or_zero(Var<T> a) {
  return unary<Uses::output>(
      std::move(a), [](T x) { return x == 0 ? T{0} : 1 / x; },
      [](Var<T> ct, const Var<T>& y) { return -std::move(ct) * square(y); });
}

template <class T>
T logistic(T x) {
  const T small = std::exp(-std::abs(x));
  return (x >= 0 ? 1 : small) / (1 + small);
}

}  // namespace

template <class T>
Var<T> exp(Var<T> a) {
  return unary<Uses::output>(
      std::move(a), [](T x) { return std::exp(x); },
      [](Var<T> ct, const Var<T>& y) { return std::move(ct) * y; });
}

template <class T>
Var<T> log(Var<T> a) {
  return unary<Uses::input>(
      std::move(a), [](T x) { return std::log(x); },
      [](Var<T> ct, const Var<T>& x) { return std::move(ct) / x; });
}

template <class T>
Var<T> sqrt(Var<T> a) {
  return unary<Uses::output>(
      std::move(a), [](T x) { return std::sqrt(x); },
      [](Var<T> ct, const Var<T>& y) { return 0.5 * std::move(ct) * reciprocal_or_zero(y); });
}

template <class T>
Var<T> square(Var<T> a) {
  return unary<Uses::input>(
      std::move(a), [](T x) { return x * x; },
      [](Var<T> ct, const Var<T>& x) { return 2 * std::move(ct) * x; });
}

template <class T>
Var<T> pow(Var<T> a, double exponent) {
  const T power = static_cast<T>(exponent);
  return unary<Uses::input>(
      std::move(a), [power](T x) { return std::pow(x, power); },
      [exponent](Var<T> ct, const Var<T>& x) {
        if (exponent == 0) return repeat(Var<T>(0), x.shape());
        return exponent * std::move(ct) * pow(x, exponent - 1);
      });
}

template <class T>
Var<T> abs(Var<T> a) {
  return unary<Uses::input>(
      std::move(a), [](T x) { return std::abs(x); },
      [](Var<T> ct, const Var<T>& x) {
        return std::move(ct) *
               detail::map([](T v) { return static_cast<T>((v > 0) - (v < 0)); }, constant(x));
      });
}

template <class T>
Var<T> tanh(Var<T> a) {
  return unary<Uses::output>(
      std::move(a), [](T x) { return std::tanh(x); },
      [](Var<T> ct, const Var<T>& y) { return std::move(ct) * (1 - square(y)); });
}

template <class T>
Var<T> sigmoid(Var<T> a) {
  return unary<Uses::output>(
      std::move(a), [](T x) { return logistic(x); },
      [](Var<T> ct, const Var<T>& y) { return std::move(ct) * (y * (1 - y)); });
}

template <class T>
Var<T> softplus(Var<T> a) {
  return unary<Uses::input>(
      std::move(a), [](T x) { return std::max(x, T{0}) + std::log1p(std::exp(-std::abs(x))); },
      [](Var<T> ct, const Var<T>& x) { return std::move(ct) * sigmoid(x); });
}

template <class T>
Var<T> soft_maximum(Var<T> a, const SoftMaximum& options) {
  return unary<Uses::input>(
      std::move(a), [options](T x) { return static_cast<T>(soft_maximum(double{x}, options)); },
      [excess = options.shift - options.sigma_min](Var<T> ct, const Var<T>& x) {
        return std::move(ct) * sigmoid(x + excess);
      });
}

template <class T>
Var<T> clamp(Var<T> a, double low, double high) {
  require(low <= high, "clamp", "expected low <= high, got ", low, " and ", high);
  const T least = static_cast<T>(low);
  const T most = static_cast<T>(high);
  return unary<Uses::input>(
      std::move(a), [=](T x) { return std::clamp(x, least, most); },
      [=](Var<T> ct, const Var<T>& x) {
        const auto within = [=](T v) { return static_cast<T>(v >= least && v <= most); };
        return std::move(ct) * detail::map(within, constant(x));
      });
}

#define BLURFIELD_INSTANTIATE(T)                            \
  template Var<T> exp(Var<T>);                              \
  template Var<T> log(Var<T>);                              \
  template Var<T> sqrt(Var<T>);                             \
  template Var<T> square(Var<T>);                           \
  template Var<T> pow(Var<T>, double);                      \
  template Var<T> abs(Var<T>);                              \
  template Var<T> tanh(Var<T>);                             \
  template Var<T> sigmoid(Var<T>);                          \
  template Var<T> softplus(Var<T>);                         \
  template Var<T> soft_maximum(Var<T>, const SoftMaximum&); \
  template Var<T> clamp(Var<T>, double, double)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);

}  // namespace blurfield
