// SPDX-License-Identifier: BSD-3-Clause
// A function of Vars as what the optimisers take.
#pragma once

#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "blurfield/autodiff/grad.h"
#include "blurfield/optim/minimise.h"

namespace blurfield {

namespace detail {

// x as it was when its derivatives were recorded.
template <class T>
class RecordedGradient {
 public:
  template <class F>
  RecordedGradient(const F& f, const View<const T>& x, int threads)
      : x_(Image<T>(x), threads), gradient_(f, x_) {}
  bool is_at(std::span<const T> x) const {
    return std::memcmp(x.data(), x_.value().data, x.size_bytes()) == 0;
  }
  const Gradient<T, 1>& gradient() const { return gradient_; }

 private:
  Var<T> x_;
  Gradient<T, 1> gradient_;
};

}  // namespace detail

// f takes a Var<T> of this shape and returns a Var<T> of one element. Without a gradient wanted
// only the forward work is done. Hessian products at one x share one recorded graph; from the first
// of them on, each gradient records it, since products will follow. Threads: an upper limit, 0 =
// all cores. The objective throws Error where x has another size; it is for one caller at a time.
template <class T, class F>
Objective<T> objective(F f, const Shape& shape, int threads = 0) {
  struct State {
    F f;
    bool products = false;
    bool started = false;  // whether there has been a value
    std::optional<detail::RecordedGradient<T>> recorded;
  };
  const auto state = std::make_shared<State>(State{std::move(f), false, false, {}});
  const auto shaped = [shape](std::span<const T> x) {
    require(static_cast<Index>(x.size()) == shape.elements(), "objective", "expected ",
            shape.elements(), " parameters, got ", x.size());
    return View<const T>(x.data(), shape);
  };
  Objective<T> result;
  const auto evaluate = [=](const View<const T>& x, std::span<T> gradient) {
    const Var<T> at = borrow<T>(x, threads);
    if (gradient.empty()) return detail::call<1>(state->f, std::vector{at}, true).item();
    if (state->products) {
      state->recorded.reset();
      const auto& all = state->recorded.emplace(state->f, at.value(), threads).gradient();
      copy<T>(all.gradient()[0], View<T>(gradient.data(), shape));
      return all.value();
    }
    const auto all = value_and_grad(state->f, at);
    copy<T>(all.gradient[0], View<T>(gradient.data(), shape));
    return all.value;
  };
  result.evaluate = [=](std::span<const T> x, std::span<T> gradient) {
    const View<const T> at = shaped(x);
    try {
      const double value = evaluate(at, gradient);
      state->started = true;
      return value;
    } catch (const Cancelled&) {
      throw;
    } catch (const Error&) {
      if (!state->started) throw;
      return std::numeric_limits<double>::quiet_NaN();
    }
  };
  result.hessian_product = [=](std::span<const T> x, std::span<const T> v, std::span<T> product) {
    state->products = true;
    if (!state->recorded || !state->recorded->is_at(x)) {
      state->recorded.reset();
      state->recorded.emplace(state->f, shaped(x), threads);
    }
    const auto all = state->recorded->gradient().product(shaped(v));
    copy<T>(all[0], View<T>(product.data(), shape));
  };
  return result;
}

}  // namespace blurfield
