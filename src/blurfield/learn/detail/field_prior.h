// SPDX-License-Identifier: BSD-3-Clause
// The prior R on a field of parameters s, (F, K, H, W) or (F, K, L): with forward differences that
// stay within the field and |grad s|^2 summed over its K channels,
//   smooth  R = sum |grad s|^2 / 2
//   tv      R = sum h(|grad s|), h(t) = t^2 / (2 scale) below scale, t - scale / 2 above (Huber).
#pragma once

#include <span>

#include "blurfield/base/image.h"
#include "blurfield/learn/estimate.h"

namespace blurfield::detail {

template <class T>
class PriorOnField {
 public:
  PriorOnField(FieldPrior prior, const Shape& shape, double tv_scale, int threads);

  // Whether there is a prior on anything.
  bool active() const { return active_; }
  // R(s); adds `weight` times its gradient to `gradient` unless that is empty.
  double evaluate(std::span<const T> s, double weight, std::span<T> gradient) const;

  // Fixes the curvature D^T W D at this s, W = h'(t) / t (lagged diffusivity, Vogel and Oman 1996).
  void linearise(std::span<const T> s);
  // product += weight D^T W D v
  void add_product(double weight, std::span<const T> v, std::span<T> product) const;
  // diagonal += weight diag(D^T W D)
  void add_diagonal(double weight, std::span<T> diagonal) const;
  // W, (F, H, W); empty where it is 1.
  const Image<T>& weights() const { return weights_; }

 private:
  template <class F>
  void each_row(const F& f) const;
  // |grad s|^2 at pixel (y, x) of a field, summed over channels.
  double squared_slope(const T* s, Index y, Index x) const;
  // W at s, (F, H, W); empty for smooth, whose weights are 1.
  Image<T> weights_at(std::span<const T> s) const;
  void add_product(const Image<T>& weights, double weight, std::span<const T> v,
                   std::span<T> product) const;

  FieldPrior prior_;
  bool active_;
  double scale_;
  int threads_;
  Index fields_ = 0;
  Index channels_ = 0;
  Index height_ = 1;
  Index width_ = 1;
  Image<T> weights_;
};

}  // namespace blurfield::detail
