// SPDX-License-Identifier: BSD-3-Clause
// Windows of a row weighted and summed: how a level of a pyramid is thinned out along x.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

// Elements that rows and weights have, finite and zero respectively, beyond what windows name.
inline constexpr Index kDotPad = 16;

template <class T>
struct Window1d {
  Index first;
  Index count;
  const T* weights;
};

// out[i] = sum over k of windows[i].weights[k] * row[windows[i].first + k]
template <class T>
void row_dots(const T* row, const Window1d<T>* windows, Index count, T* out);

}  // namespace blurfield::kernels
