// SPDX-License-Identifier: BSD-3-Clause
// Weighted sums over two-dimensional windows: the inner loops of direct correlation. Sums are cut
// into runs of kWindowRun taps, longer ones into about as many runs as these have taps, so that
// rounding grows with the square root of the number of taps. All functions return whether what they
// computed is finite.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

inline constexpr Index kWindowRows = 6;         // rows that one call of six_rows computes
inline constexpr Index kWindowLeastWidth = 16;  // a vector, on every target
inline constexpr Index kWindowRun = 64;

// A kernel of `taps` rows and `columns` columns on each of `planes` channels.
template <class T>
struct WindowSums {
  const T* const* rows = nullptr;  // of the image; see below
  const T* weights = nullptr;      // tap (i, j) of plane p at [(p * columns + j) * taps + i]
  const Index* offsets = nullptr;  // column j of the kernel reads from rows[...] + offsets[j] on
  Index planes = 1;
  Index columns = 1;
  Index taps = 1;
};

// Output rows r = 0..5: out(r, x) = sum weights(p, i, j) rows[p (taps + 5) + r + i][offsets[j] +
// x], x = 0..width-1, width >= kWindowLeastWidth.
template <class T>
bool six_rows(const WindowSums<T>& sums, Index width, T* out, Index out_stride);

// One output row: out(x) = sum weights(p, i, j) rows[p taps + i][offsets[j] + x].
template <class T>
bool one_row(const WindowSums<T>& sums, Index width, T* out);

// Whichever of the two computes `rows` rows, 6 or 1.
template <class T>
bool window_rows(const WindowSums<T>& sums, Index rows, Index width, T* out, Index out_stride) {
  if (rows == kWindowRows) {
    return six_rows(sums, width, out, out_stride);
  }
  return one_row(sums, width, out);
}

}  // namespace blurfield::kernels
