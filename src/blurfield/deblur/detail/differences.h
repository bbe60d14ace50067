// SPDX-License-Identifier: BSD-3-Clause
// Differences of an image, row by row: D x = (d_y, d_x) forward, and H x = (d_yy, sqrt(2) d_yx,
// d_xx), each 0 where it would reach beyond the border. The square root makes the components'
// Euclidean norm the matrix's. A row of components is kComponents times `width` numbers.
#pragma once

#include <algorithm>
#include <numbers>

#include "blurfield/base/view.h"

namespace blurfield::detail {

// One channel: rows `pitch` apart, pixels side by side.
template <class T>
struct Plane {
  const T* data;
  Index height, width, pitch;
  const T* row(Index y) const { return data + y * pitch; }
};

struct FirstDifferences {
  static constexpr Index kComponents = 2;
  static constexpr Index kBelow = 0;  // rows of D x below y that row y of D^T needs; 1 above
  static constexpr double kSquaredNorm = 8.0;

  // d = row y of D x
  template <class T>
  static void row(const Plane<T>& x, Index y, T* d) {
    const Index n = x.width;
    const T* here = x.row(y);
    T* dy = d;
    T* dx = d + n;
    if (y + 1 < x.height) {
      const T* next = x.row(y + 1);
      for (Index i = 0; i < n; ++i) dy[i] = next[i] - here[i];
    } else {
      std::fill_n(dy, n, T{0});
    }
    for (Index i = 0; i + 1 < n; ++i) dx[i] = here[i + 1] - here[i];
    dx[n - 1] = 0;
  }

  // Zeros where row y of D x would reach beyond the border.
  template <class T>
  static void clear_beyond(Index y, Index height, Index n, T* d) {
    if (y + 1 == height) std::fill_n(d, n, T{0});
    d[2 * n - 1] = 0;
  }

  // out += factor times a row of D^T d; the cleared rows of d above and here, null beyond the
  // border.
  template <class T>
  static void add_adjoint(const T* above, const T* here, const T* /*below*/, Index n, T factor,
                          T* out) {
    const T* dx = here + n;
    if (above != nullptr) {
      for (Index i = 0; i < n; ++i) out[i] += factor * (above[i] - here[i] - dx[i]);
    } else {
      for (Index i = 0; i < n; ++i) out[i] -= factor * (here[i] + dx[i]);
    }
    for (Index i = 1; i < n; ++i) out[i] += factor * dx[i - 1];
  }
};

// out += factor times a row of D^T D x, D the first differences; `above` and `below` are the rows
// beside it, or the row itself at the border.
template <class T>
void add_laplacian_row(const T* above, const T* here, const T* below, Index n, T factor, T* out) {
  const auto add = [&](Index i, T across) {
    out[i] += factor * (2 * here[i] - above[i] - below[i] + across);
  };
  if (n == 1) return add(0, T{0});
  add(0, here[0] - here[1]);
  for (Index i = 1; i + 1 < n; ++i) add(i, 2 * here[i] - here[i - 1] - here[i + 1]);
  add(n - 1, here[n - 1] - here[n - 2]);
}

struct SecondDifferences {
  static constexpr Index kComponents = 3;
  static constexpr Index kBelow = 1;
  static constexpr double kSquaredNorm = 64.0;

  template <class T>
  static void row(const Plane<T>& x, Index y, T* d) {
    const Index n = x.width;
    const T root = std::numbers::sqrt2_v<T>;
    const T* here = x.row(y);
    T* yy = d;
    T* yx = d + n;
    T* xx = d + 2 * n;
    std::fill_n(d, 3 * n, T{0});
    if (y + 1 < x.height) {
      const T* next = x.row(y + 1);
      for (Index i = 0; i + 1 < n; ++i) {
        yx[i] = root * (next[i + 1] - next[i] - here[i + 1] + here[i]);
      }
      if (y > 0) {
        const T* last = x.row(y - 1);
        for (Index i = 0; i < n; ++i) yy[i] = next[i] - 2 * here[i] + last[i];
      }
    }
    for (Index i = 1; i + 1 < n; ++i) xx[i] = here[i + 1] - 2 * here[i] + here[i - 1];
  }

  template <class T>
  static void clear_beyond(Index y, Index height, Index n, T* d) {
    if (y == 0 || y + 1 == height) std::fill_n(d, n, T{0});
    if (y + 1 == height) std::fill_n(d + n, n, T{0});
    d[2 * n - 1] = d[2 * n] = d[3 * n - 1] = 0;
  }

  template <class T>
  static void add_adjoint(const T* above, const T* here, const T* below, Index n, T factor,
                          T* out) {
    const T root = factor * std::numbers::sqrt2_v<T>;
    const T* yx = here + n;
    const T* xx = here + 2 * n;
    for (Index i = 0; i < n; ++i) out[i] += root * yx[i] - 2 * factor * (here[i] + xx[i]);
    for (Index i = 1; i < n; ++i) out[i] += factor * xx[i - 1] - root * yx[i - 1];
    for (Index i = 0; i + 1 < n; ++i) out[i] += factor * xx[i + 1];
    if (above != nullptr) {
      const T* up = above + n;
      for (Index i = 0; i < n; ++i) out[i] += factor * above[i] - root * up[i];
      for (Index i = 1; i < n; ++i) out[i] += root * up[i - 1];
    }
    if (below != nullptr) {
      for (Index i = 0; i < n; ++i) out[i] += factor * below[i];
    }
  }
};

}  // namespace blurfield::detail
