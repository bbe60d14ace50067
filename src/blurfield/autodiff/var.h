// SPDX-License-Identifier: BSD-3-Clause
// Automatic differentiation, eager reverse mode over whole arrays. A Var is a shared handle on an
// array and, unless that is a constant, on how it came about: its parents and the rule that turns
// its cotangent into theirs (its vjp). Copying a Var copies handles, never pixels.
//
// Rules take and give Vars, and are built of the same functions that users call. So one set of
// rules serves every order: a sweep whose Vars still ask for gradients records itself and can be
// differentiated again; one over a frozen graph computes with constants, records nothing and frees
// each value and cotangent as it passes. A Hessian product is one sweep over the recorded gradient,
// H being symmetric: H v is the vjp of the gradient at v. No forward work is repeated for further
// v at the same x, which is what Newton-CG asks for; forward over reverse would need a second rule
// per function and repeat the forward pass. A jvp is the vjp of the vjp, which is linear.
//
// Constants cost nothing but their value. The thread limit travels with Vars: a result takes the
// smallest limit among its operands, 0 being none (all cores). Results do not depend on it.
#pragma once

#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "blurfield/base/image.h"

namespace blurfield {

template <class T>
class Var;

// What a Var shows: pixels of its own, a single number, or a window on what `base` keeps alive.
template <class T>
struct VarValue {
  View<const T> view;  // any strides; 0 along axes that only repeat
  Image<T> pixels;
  T number{};
  std::shared_ptr<const VarValue> base;
  int threads = 0;
};

// How a value came about. One without parents is an input.
template <class T>
class VarNode {
 public:
  VarNode() = default;
  VarNode(const VarNode&) = delete;
  VarNode& operator=(const VarNode&) = delete;
  virtual ~VarNode() = default;
  virtual std::span<Var<T>> parents() { return {}; }
  // Fills the cotangents of those parents that have a node; `self` is this node's own handle.
  virtual void pull(const std::shared_ptr<VarNode>& /*self*/, Var<T> /*cotangent*/,
                    std::span<Var<T>> /*parent_cotangents*/) {}

  bool live = true;  // false: a sweep has taken it over, and to all others it is a constant
  // The rule also takes a cotangent shaped {1}, for one that repeats: that of a sum.
  bool takes_number = false;
  std::size_t slot = 0;  // its place in the sweep that was built last
};

template <class T>
class Var {
 public:
  Var() = default;  // no value, no node
  // A constant of shape {1}, which broadcasts with every shape.
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  Var(Number value)  // NOLINT(google-explicit-constructor)
      : Var(static_cast<T>(value), nullptr) {}
  // A constant that owns its pixels. `threads` limits whatever is computed from it; 0 = all cores.
  explicit Var(Image<T>&& pixels, int threads = 0);
  Var(std::shared_ptr<VarValue<T>> value, std::shared_ptr<VarNode<T>> node)
      : value_(std::move(value)), node_(std::move(node)) {}

  bool empty() const { return value_ == nullptr; }
  // These throw Error if there is no value.
  const Shape& shape() const { return shown().view.shape; }
  // Strides may be 0 along axes that only repeat. Valid as long as a Var shows this value.
  View<const T> value() const { return shown().view; }
  double item() const;  // the only element; throws Error if there are more or none
  int threads() const { return value_ ? value_->threads : 0; }
  bool needs_gradient() const { return node_ && node_->live; }

  // Elementwise, with NumPy's broadcasting: shapes are aligned at their last axes, and an extent of
  // 1 or a missing axis repeats. Throw Error where shapes do not fit.
  friend Var operator+(Var a, Var b) { return add(std::move(a), std::move(b)); }
  friend Var operator-(Var a, Var b) { return subtract(std::move(a), std::move(b)); }
  friend Var operator*(Var a, Var b) { return multiply(std::move(a), std::move(b)); }
  friend Var operator/(Var a, Var b) { return divide(std::move(a), std::move(b)); }
  friend Var operator-(Var a) { return negate(std::move(a)); }

  // The handles themselves, for record.h and the sweep.
  const std::shared_ptr<VarValue<T>>& held() const { return value_; }
  const std::shared_ptr<VarNode<T>>& node() const { return node_; }
  std::shared_ptr<VarValue<T>> take_value() { return std::move(value_); }
  std::shared_ptr<VarNode<T>> take_node() { return std::move(node_); }

 private:
  Var(T number, std::nullptr_t);
  const VarValue<T>& shown() const {
    require(value_ != nullptr, "Var", "expected a value, got an empty Var");
    return *value_;
  }
  static Var add(Var a, Var b);
  static Var subtract(Var a, Var b);
  static Var multiply(Var a, Var b);
  static Var divide(Var a, Var b);
  static Var negate(Var a);

  std::shared_ptr<VarValue<T>> value_;
  std::shared_ptr<VarNode<T>> node_;
};

// A constant that shows pixels owned by somebody else, without a copy: they must outlive the Var
// and all that was computed from it.
template <class T>
Var<T> borrow(const View<const T>& pixels, int threads = 0);
template <class T>
Var<T> borrow(const Image<T>& pixels, int threads = 0) {
  return borrow<T>(pixels.view(), threads);
}

// The same value without its history: no gradient flows through it.
template <class T>
Var<T> constant(const Var<T>& a) {
  return {a.held(), nullptr};
}

}  // namespace blurfield
