// SPDX-License-Identifier: BSD-3-Clause
// The penalty (penalty.h) on the eigenvalues of Hessians, for the Schatten norm of order 1.
#pragma once

#include <algorithm>
#include <cmath>

#include "blurfield/deblur/detail/penalty.h"

namespace blurfield::detail {

// The eigenvalues m +- rho of a symmetric matrix [[yy, yx], [yx, xx]] and their directions,
// (c, s) = (h, yx) / rho, h = (yy - xx) / 2.
template <class T>
struct Eigen2 {
  T m, rho, c, s;
  Eigen2(T yy, T yx, T xx) : m((yy + xx) / 2), rho(std::hypot((yy - xx) / 2, yx)), c(1), s(0) {
    if (rho > 0) {
      c = (yy - xx) / (2 * rho);
      s = yx / rho;
    }
  }
};

// sum of sqrt(e^2 + scale^2) - scale over the two eigenvalues e of each of `channels` Hessians.
template <class T>
struct SpectralPenalty {
  T scale;
  Index channels;
  static constexpr T kRoot = static_cast<T>(1.4142135623730950488);

  double value(const T* d, Index count, T* work) const {
    double sum = 0.0;
    for (Index c = 0; c < channels; ++c, d += 3 * count) {
      for (Index i = 0; i < count; ++i) {
        const Eigen2<T> e(d[i], d[count + i] / kRoot, d[2 * count + i]);
        work[i] = length(e.m + e.rho) + length(e.m - e.rho) - 2 * scale;
      }
      sum += row_sum(work, count);
    }
    return sum;
  }
  double gradient(T* d, Index count, T* work) const {
    const double sum = value(d, count, work);
    map(d, count, [this](T e) { return e / length(e); });
    return sum;
  }
  // Daleckii and Krein's formula in the eigenvectors' basis.
  void product(const T* d, T* v, Index count, T* /*work*/) const {
    for (Index c = 0; c < channels; ++c, d += 3 * count, v += 3 * count) {
      for (Index i = 0; i < count; ++i) {
        const Eigen2<T> e(d[i], d[count + i] / kRoot, d[2 * count + i]);
        const T high = e.m + e.rho;
        const T low = e.m - e.rho;
        const T vm = (v[i] + v[2 * count + i]) / 2;
        const T vh = (v[i] - v[2 * count + i]) / 2;
        const T vq = v[count + i] / kRoot;
        const T along = e.c * vh + e.s * vq;
        const T first = bend(high) * (vm + along);
        const T second = bend(low) * (vm - along);
        const T across = chord(high, low) * (e.c * vq - e.s * vh);
        const T mean = (first + second) / 2;
        const T half = e.c * (first - second) / 2 - e.s * across;
        v[i] = mean + half;
        v[2 * count + i] = mean - half;
        v[count + i] = kRoot * (e.s * (first - second) / 2 + e.c * across);
      }
    }
  }
  void project(T* d, T radius, Index count, T* /*work*/) const {
    map(d, count, [radius](T e) { return std::clamp(e, -radius, radius); });
  }

 private:
  T length(T e) const { return std::sqrt(e * e + scale * scale); }
  T bend(T e) const {
    const T t = length(e);
    return scale * scale / (t * t * t);
  }
  // (f'(high) - f'(low)) / (high - low), of one sign without their difference, which may cancel.
  T chord(T high, T low) const {
    const T a = length(high);
    const T b = length(low);
    if (low > 0 || high < 0) {
      return (scale / a) * (scale / b) * ((high + low) / a) / (b * (high / a + low / b));
    }
    return high > low ? (high / a - low / b) / (high - low) : 1 / scale;
  }
  // Each matrix by f of its eigenvalues.
  template <class F>
  void map(T* d, Index count, const F& f) const {
    for (Index c = 0; c < channels; ++c, d += 3 * count) {
      for (Index i = 0; i < count; ++i) {
        const Eigen2<T> e(d[i], d[count + i] / kRoot, d[2 * count + i]);
        const T high = f(e.m + e.rho);
        const T low = f(e.m - e.rho);
        const T mean = (high + low) / 2;
        const T half = (high - low) / 2;
        d[i] = mean + e.c * half;
        d[count + i] = kRoot * e.s * half;
        d[2 * count + i] = mean - e.c * half;
      }
    }
  }
};

}  // namespace blurfield::detail
