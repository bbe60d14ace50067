// SPDX-License-Identifier: BSD-3-Clause
// A function f of Vars kept with its graph at one x, for many derivatives there. f takes one Var<T>
// per input and returns a Var<T>, of one element for Gradient, of any shape for Linearised. Inputs,
// cotangents and directions are Image<T>, View or Var<T>; of a Var the value and the thread limit
// count (borrow(x, threads)), not its history. Pixels are shown, not copied: those of x must
// outlive the object, unless x is a Var that owns them. An input that f does not use has
// derivatives 0. All throw Error where f returns something else, shapes do not match, or a function
// within f lacks the derivative asked for, by its name.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "blurfield/autodiff/reduce.h"
#include "blurfield/autodiff/tape.h"

namespace blurfield {

namespace detail {

template <class T>
Var<T> as_var(const Image<T>& x) {
  return borrow(x);
}
template <class T>
Var<std::remove_const_t<T>> as_var(const View<T>& x) {
  return borrow<std::remove_const_t<T>>(x);
}
template <class T>
Var<T> as_var(const Var<T>& x) {
  return constant(x);
}
// The element type of the first of several inputs.
template <class T, class... Rest>
T first_element(const Var<T>&, const Rest&...);
template <class... X>
using Element = decltype(first_element(as_var(std::declval<const X&>())...));

template <class T, class... X>
std::vector<Var<T>> inputs(const X&... x) {
  return {input(as_var(x))...};
}

// f of the inputs; with `one`, throws unless it gives one element.
template <std::size_t N, class T, class F>
Var<T> call(const F& f, const std::vector<Var<T>>& x, bool one) {
  Var<T> y = [&]<std::size_t... I>(std::index_sequence<I...>)->Var<T> { return f(x[I]...); }
  (std::make_index_sequence<N>());
  require(!y.empty(), "autodiff", "expected f to return a value, got an empty Var");
  require(!one || y.shape().elements() == 1, "autodiff",
          "expected f to return one element, got shape ", y.shape().text());
  return y;
}

// Throws Error unless the direction or cotangent is of this shape.
void check_direction(const Shape& got, const Shape& expected);

// The pixels of a cotangent (taken over where it is their only owner), 0 for an empty one.
template <class T>
Image<T> to_image(Var<T> cotangent, const Shape& shape);
template <std::size_t N, class T>
std::array<Image<T>, N> to_images(std::vector<Var<T>> cotangents, const std::vector<Var<T>>& x) {
  std::array<Image<T>, N> images;
  for (std::size_t i = 0; i < N; ++i) {
    images[i] = to_image(std::move(cotangents[i]), x[i].shape());
  }
  return images;
}

template <class T, class... V>
std::vector<Var<T>> directions(const std::vector<Var<T>>& x, const V&... v) {
  std::vector<Var<T>> all{as_var(v)...};
  for (std::size_t i = 0; i < all.size(); ++i) check_direction(all[i].shape(), x[i].shape());
  return all;
}

}  // namespace detail

// f at x, linearised: vjp and jvp for as many cotangents and directions as wanted, each without
// forward work. It shows the pixels of x, which must outlive it unless x are Vars that own them.
template <class T, std::size_t N>
class Linearised {
 public:
  template <class F, class... X>
  explicit Linearised(const F& f, const X&... x)
      : x_(detail::inputs<T>(x...)),
        y_(detail::call<N>(f, x_, false)),
        backward_({y_}, x_, Tape<T>::Kind::frozen) {}

  View<const T> value() const { return y_.value(); }
  // The gradients of <cotangent, f> by each input.
  template <class U>
  std::array<Image<T>, N> vjp(const U& cotangent) const {
    return detail::to_images<N>(backward_.pull(detail::directions<T>({y_}, cotangent)), x_);
  }
  // The derivative of f along one direction per input.
  template <class... V>
  requires(sizeof...(V) == N) Image<T> jvp(const V&... v) {
    if (!forward_) {  // the vjp as a function of its cotangent u, which is linear: any u will do
      cotangent_ = {input(repeat(Var<T>(0), y_.shape()))};
      forward_.emplace(backward_.pull(cotangent_), cotangent_, Tape<T>::Kind::frozen);
    }
    return detail::to_image(forward_->pull(detail::directions(x_, v...))[0], y_.shape());
  }

 private:
  std::vector<Var<T>> x_;
  Var<T> y_;
  Tape<T> backward_;
  std::vector<Var<T>> cotangent_;
  std::optional<Tape<T>> forward_;
};
template <class F, class... X>
Linearised(const F&, const X&...) -> Linearised<detail::Element<X...>, sizeof...(X)>;

// Value and gradient of f at x, and Hessian products for as many directions as wanted, each one
// sweep over the recorded gradient. Of x holds what Linearised says.
template <class T, std::size_t N>
class Gradient {
 public:
  template <class F, class... X>
  explicit Gradient(const F& f, const X&... x)
      : x_(detail::inputs<T>(x...)),
        y_(detail::call<N>(f, x_, true)),
        gradient_(Tape<T>({y_}, x_, Tape<T>::Kind::live).pull({repeat(Var<T>(1), y_.shape())})),
        second_(gradient_, x_, Tape<T>::Kind::frozen) {}

  double value() const { return y_.item(); }
  // By each input.
  std::array<Image<T>, N> gradient() const { return detail::to_images<N>(gradient_, x_); }
  // H v, of one direction per input.
  template <class... V>
  requires(sizeof...(V) == N) std::array<Image<T>, N> product(const V&... v)
  const { return detail::to_images<N>(second_.pull(detail::directions(x_, v...)), x_); }

 private:
  std::vector<Var<T>> x_;
  Var<T> y_;
  std::vector<Var<T>> gradient_;
  Tape<T> second_;
};
template <class F, class... X>
Gradient(const F&, const X&...) -> Gradient<detail::Element<X...>, sizeof...(X)>;

}  // namespace blurfield
