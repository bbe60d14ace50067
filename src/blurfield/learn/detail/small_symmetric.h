// SPDX-License-Identifier: BSD-3-Clause
// Symmetric matrices of up to 3 x 3, as the rows of their lower triangles.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::detail {

// Where element (i, j) stands.
constexpr Index packed(Index i, Index j) {
  return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i;
}

// out = A v at `count` pixels in a row; consecutive elements of A, v and out are `plane` apart.
template <int K, class T>
void multiply_symmetric(const T* a, const T* v, T* out, Index plane, Index count) {
  for (Index x = 0; x < count; ++x) {
    T result[K];
    for (Index i = 0; i < K; ++i) {
      result[i] = 0;
      for (Index j = 0; j < K; ++j) result[i] += a[packed(i, j) * plane + x] * v[j * plane + x];
    }
    for (Index i = 0; i < K; ++i) out[i * plane + x] = result[i];
  }
}

template <class T>
void multiply_symmetric(Index k, const T* a, const T* v, T* out, Index plane, Index count) {
  if (k == 1) return multiply_symmetric<1>(a, v, out, plane, count);
  if (k == 2) return multiply_symmetric<2>(a, v, out, plane, count);
  multiply_symmetric<3>(a, v, out, plane, count);
}

// A becomes its inverse; packed. False, and zeros, where A is not positive definite to rounding.
inline bool invert_symmetric(Index n, double* a) {
  double det = 1.0;
  double inverse[6] = {1.0};
  if (n == 1) {
    det = a[0];
  } else if (n == 2) {
    det = a[0] * a[2] - a[1] * a[1];
    inverse[0] = a[2];
    inverse[1] = -a[1];
    inverse[2] = a[0];
  } else if (n == 3) {
    inverse[0] = a[2] * a[5] - a[4] * a[4];
    inverse[1] = a[3] * a[4] - a[1] * a[5];
    inverse[2] = a[0] * a[5] - a[3] * a[3];
    inverse[3] = a[1] * a[4] - a[2] * a[3];
    inverse[4] = a[1] * a[3] - a[0] * a[4];
    inverse[5] = a[0] * a[2] - a[1] * a[1];
    det = a[0] * inverse[0] + a[1] * inverse[1] + a[3] * inverse[3];
  }
  const bool definite = det > 0 && inverse[0] > 0 && a[0] > 0;
  for (Index i = 0; i < n * (n + 1) / 2; ++i) a[i] = definite ? inverse[i] / det : 0.0;
  return definite;
}

}  // namespace blurfield::detail
