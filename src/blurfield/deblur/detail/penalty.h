// SPDX-License-Identifier: BSD-3-Clause
// Functions of the differences d at each pixel, of whose sums priors are made. Each works on
// `count` pixels of one row, whose components are `planes` arrays of `count` numbers one after the
// other (of several channels where they are taken jointly):
//   gradient(d)     d becomes the derivative; returns the sum of the function
//   product(d, v)   v becomes the second derivative at d times v
//   project(d, radius)  d becomes the nearest of dual norm <= radius: the proximal map of the
//                       conjugate of radius times the unsmoothed function
#pragma once

#include <algorithm>
#include <cmath>

#include "blurfield/base/view.h"

namespace blurfield::detail {

// squares[i] = sum over planes of d_i^2
template <class T>
void squared_norms(const T* d, Index planes, Index count, T* squares) {
  for (Index i = 0; i < count; ++i) squares[i] = d[i] * d[i];
  for (Index k = 1; k < planes; ++k) {
    const T* from = d + k * count;
    for (Index i = 0; i < count; ++i) squares[i] += from[i] * from[i];
  }
}

template <class T>
void scale_planes(T* d, Index planes, Index count, const T* factors) {
  for (Index k = 0; k < planes; ++k) {
    T* to = d + k * count;
    for (Index i = 0; i < count; ++i) to[i] *= factors[i];
  }
}

template <class T>
double row_sum(const T* values, Index count) {
  double lanes[4] = {};
  Index i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int lane = 0; lane < 4; ++lane) lanes[lane] += static_cast<double>(values[i + lane]);
  }
  for (; i < count; ++i) lanes[0] += static_cast<double>(values[i]);
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

// The sum of f(i) over `count` pixels, f being free of branches: in two loops that vector units
// take.
template <class T, class F>
double pixel_sum(Index count, const F& f) {
  constexpr Index kPixels = 256;
  T terms[kPixels];
  double sum = 0.0;
  for (Index begin = 0; begin < count; begin += kPixels) {
    const Index part = std::min(kPixels, count - begin);
    for (Index i = 0; i < part; ++i) terms[i] = f(begin + i);
    sum += row_sum(terms, part);
  }
  return sum;
}

// h(|d|), h(t) = t^2 / (2 scale) up to scale, t - scale / 2 above
template <class T>
struct Huber {
  T scale;
  T value(T square) const {
    const T t = std::sqrt(square);
    const T cut = std::min(t, scale);
    return cut * cut / (2 * scale) + (t - cut);
  }
  T weight(T square) const { return 1 / std::max(std::sqrt(square), scale); }
  T bend(T square) const {
    const T t = std::max(std::sqrt(square), scale);
    return square > scale * scale ? -1 / (t * t * t) : T{0};
  }
};

// sqrt(|d|^2 + scale^2) - scale; |d| for scale 0
template <class T>
struct Charbonnier {
  T scale;
  T value(T square) const { return std::sqrt(square + scale * scale) - scale; }
  T weight(T square) const { return 1 / std::sqrt(square + scale * scale); }
  T bend(T square) const {
    const T t = std::sqrt(square + scale * scale);
    return -1 / (t * t * t);
  }
};

// A function f(|d|) of the norm over all planes: f' = weight d, f'' v = weight v + bend d (d . v).
// `work` holds count numbers, 2 count for product.
template <class T, class Function>
struct NormPenalty {
  Function f;
  Index planes;

  double value(const T* d, Index count, T* work) const {
    squared_norms(d, planes, count, work);
    for (Index i = 0; i < count; ++i) work[i] = f.value(work[i]);
    return row_sum(work, count);
  }
  double gradient(T* d, Index count, T* work) const {
    T* values = work + count;
    squared_norms(d, planes, count, work);
    for (Index i = 0; i < count; ++i) values[i] = f.value(work[i]);
    for (Index i = 0; i < count; ++i) work[i] = f.weight(work[i]);
    scale_planes(d, planes, count, work);
    return row_sum(values, count);
  }
  void product(const T* d, T* v, Index count, T* work) const {
    T* dots = work + count;
    squared_norms(d, planes, count, work);
    std::fill_n(dots, count, T{0});
    for (Index k = 0; k < planes; ++k) {
      for (Index i = 0; i < count; ++i) dots[i] += d[k * count + i] * v[k * count + i];
    }
    for (Index i = 0; i < count; ++i) {
      dots[i] *= f.bend(work[i]);
      work[i] = f.weight(work[i]);
    }
    for (Index k = 0; k < planes; ++k) {
      for (Index i = 0; i < count; ++i) {
        v[k * count + i] = work[i] * v[k * count + i] + dots[i] * d[k * count + i];
      }
    }
  }
  void project(T* d, T radius, Index count, T* work) const {
    squared_norms(d, planes, count, work);
    for (Index i = 0; i < count; ++i) work[i] = radius / std::max(std::sqrt(work[i]), radius);
    scale_planes(d, planes, count, work);
  }
};

}  // namespace blurfield::detail
