// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/field_prior.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace blurfield::detail {

template <class T>
PriorOnField<T>::PriorOnField(FieldPrior prior, const Shape& shape, double tv_scale, int threads)
    : prior_(prior),
      active_(prior != FieldPrior::none && shape.elements() > 0),
      scale_(tv_scale),
      threads_(threads) {
  if (!active_) return;
  fields_ = shape[0];
  channels_ = shape[1];
  height_ = shape.rank() == 4 ? shape[2] : 1;
  width_ = shape[shape.rank() - 1];
}

// f(field, y) for every row, in parallel.
template <class T>
template <class F>
void PriorOnField<T>::each_row(const F& f) const {
  parallel_for(fields_ * height_, {threads_, {}},
               [&](Index row) { f(row / height_, row % height_); });
}

template <class T>
double PriorOnField<T>::squared_slope(const T* s, Index y, Index x) const {
  double sum = 0.0;
  for (Index k = 0; k < channels_; ++k) {
    const T* at = s + (k * height_ + y) * width_ + x;
    const double dy = y + 1 < height_ ? static_cast<double>(at[width_] - at[0]) : 0.0;
    const double dx = x + 1 < width_ ? static_cast<double>(at[1] - at[0]) : 0.0;
    sum += dy * dy + dx * dx;
  }
  return sum;
}

template <class T>
Image<T> PriorOnField<T>::weights_at(std::span<const T> s) const {
  if (prior_ == FieldPrior::smooth) return {};
  Image<T> weights({fields_, height_, width_});
  each_row([&](Index field, Index y) {
    const T* from = s.data() + field * channels_ * height_ * width_;
    T* row = weights.data() + (field * height_ + y) * width_;
    for (Index x = 0; x < width_; ++x) {
      row[x] = static_cast<T>(1 / std::max(std::sqrt(squared_slope(from, y, x)), scale_));
    }
  });
  return weights;
}

template <class T>
double PriorOnField<T>::evaluate(std::span<const T> s, double weight, std::span<T> gradient) const {
  if (!active_) return 0.0;
  std::vector<double> rows(static_cast<std::size_t>(fields_ * height_));
  each_row([&](Index field, Index y) {
    const T* from = s.data() + field * channels_ * height_ * width_;
    double sum = 0.0;
    for (Index x = 0; x < width_; ++x) {
      const double squared = squared_slope(from, y, x);
      const double t = std::sqrt(squared);
      const bool quadratic = prior_ == FieldPrior::smooth || t < scale_;
      sum +=
          !quadratic ? t - scale_ / 2 : squared / (prior_ == FieldPrior::smooth ? 2 : 2 * scale_);
    }
    rows[static_cast<std::size_t>(field * height_ + y)] = sum;
  });
  if (!gradient.empty()) add_product(weights_at(s), weight, s, gradient);
  return std::accumulate(rows.begin(), rows.end(), 0.0);
}

template <class T>
void PriorOnField<T>::linearise(std::span<const T> s) {
  if (active_) weights_ = weights_at(s);
}

template <class T>
void PriorOnField<T>::add_product(double weight, std::span<const T> v, std::span<T> product) const {
  if (active_) add_product(weights_, weight, v, product);
}

template <class T>
void PriorOnField<T>::add_product(const Image<T>& weights, double weight, std::span<const T> v,
                                  std::span<T> product) const {
  const auto factor = static_cast<T>(weight);
  each_row([&](Index field, Index y) {
    const T* w = weights.empty() ? nullptr : weights.data() + (field * height_ + y) * width_;
    const auto at = [&](Index offset) { return w == nullptr ? T{1} : w[offset]; };
    for (Index k = 0; k < channels_; ++k) {
      const Index first = ((field * channels_ + k) * height_ + y) * width_;
      const T* s = v.data() + first;
      T* to = product.data() + first;
      for (Index x = 0; x < width_; ++x) {
        T sum = 0;
        if (y > 0) sum += at(x - width_) * (s[x] - s[x - width_]);
        if (x > 0) sum += at(x - 1) * (s[x] - s[x - 1]);
        if (y + 1 < height_) sum -= at(x) * (s[x + width_] - s[x]);
        if (x + 1 < width_) sum -= at(x) * (s[x + 1] - s[x]);
        to[x] += factor * sum;
      }
    }
  });
}

template <class T>
void PriorOnField<T>::add_diagonal(double weight, std::span<T> diagonal) const {
  if (!active_) return;
  const auto factor = static_cast<T>(weight);
  each_row([&](Index field, Index y) {
    const T* w = weights_.empty() ? nullptr : weights_.data() + (field * height_ + y) * width_;
    const auto at = [&](Index offset) { return w == nullptr ? T{1} : w[offset]; };
    for (Index k = 0; k < channels_; ++k) {
      T* to = diagonal.data() + ((field * channels_ + k) * height_ + y) * width_;
      for (Index x = 0; x < width_; ++x) {
        T sum = 0;
        if (y > 0) sum += at(x - width_);
        if (x > 0) sum += at(x - 1);
        if (y + 1 < height_) sum += at(x);
        if (x + 1 < width_) sum += at(x);
        to[x] += factor * sum;
      }
    }
  });
}

template class PriorOnField<float>;
template class PriorOnField<double>;

}  // namespace blurfield::detail
