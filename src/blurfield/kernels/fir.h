// SPDX-License-Identifier: BSD-3-Clause
// Finite impulse responses across rows, six rows at a time. Sums are cut into runs of kFirRun taps,
// so that rounding grows with the number of runs rather than of taps.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

inline constexpr Index kFirRows = 6;    // rows of a block
inline constexpr Index kFirRun = 64;    // taps summed in one go
inline constexpr Index kFirSlack = 64;  // at least a tile's columns, on every target

// Six sums of `count` rows: out_j(x) = sum_i weight(i, j) rows[i][x], j = 0..5, with
// weight(i, j) = weights[i + j * step].
template <class T>
struct RowSums {
  const T* const* rows = nullptr;
  Index count = 0;
  const T* weights = nullptr;
  Index step = 0;
  // Greater than 0: a band; weight(i, j) = 0 unless 0 <= i - j < band, and count = band + 5.
  Index band = 0;
};

// Computes columns begin..end-1 into six rows of `out`, which points at column `begin`. Reads no
// column outside 0..end-1; may also write up to kFirSlack columns left of `out`.
template <class T>
void fir_rows(const RowSums<T>& sums, Index begin, Index end, T* out, Index out_stride);

}  // namespace blurfield::kernels
