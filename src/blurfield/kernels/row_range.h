// SPDX-License-Identifier: BSD-3-Clause
// What a row of numbers spans: one pass instead of a check per number.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

template <class T>
struct RowRange {
  T least;
  T largest;
  T sum;      // not finite where a number is not; may overflow where all are
  T squares;  // their sum
};

// Of count >= 1 numbers.
template <class T>
RowRange<T> row_range(const T* row, Index count);

}  // namespace blurfield::kernels
