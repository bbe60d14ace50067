// SPDX-License-Identifier: BSD-3-Clause
// Inner products of an array with the windows of another: the inner loop of the gradient of a
// correlation by its kernel.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

inline constexpr Index kDotRows = 3;     // tap rows of a block
inline constexpr Index kDotColumns = 4;  // tap columns of a block
inline constexpr Index kDotRun = 128;    // terms per lane before sums move on to double

// dots[i * kDotColumns + j] += sum over r < rows, x < width of
// a[r][x] * b[r * step + i][offsets[j] + x], for all i < kDotRows, j < kDotColumns.
template <class T>
void window_dots(const T* const* a, const T* const* b, Index step, const Index* offsets, Index rows,
                 Index width, double* dots);

}  // namespace blurfield::kernels
