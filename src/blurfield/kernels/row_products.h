// SPDX-License-Identifier: BSD-3-Clause
// Sums of products of rows, element by element: the inner loop of filters whose weights change from
// pixel to pixel.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

// out[x] = sum over t < count of a[t][x] * b[t][x], plus out[x] where `add` is set; x = 0..width-1.
template <class T>
void sum_products(const T* const* a, const T* const* b, Index count, Index width, bool add, T* out);

}  // namespace blurfield::kernels
