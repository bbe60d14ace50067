// SPDX-License-Identifier: BSD-3-Clause
// Transposes a block of an array.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

enum class Write {
  plain,
  add,     // out is increased
  stream,  // past the caches, for results too large to stay in them; see finish_streams
};

// out(x, y) = in(y, x) for y = 0..rows-1, x = 0..columns-1. Strides are those between rows.
// Returns whether all that it wrote is finite; finite numbers near the type's limit may fail too.
template <class T>
bool transpose(const T* in, Index in_stride, Index rows, Index columns, T* out, Index out_stride,
               Write write = Write::plain);

// What this thread has streamed becomes visible to others; to be called before they may look.
void finish_streams();

}  // namespace blurfield::kernels
