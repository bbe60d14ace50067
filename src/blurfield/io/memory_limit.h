// SPDX-License-Identifier: BSD-3-Clause
// Refuses images that would not fit in memory, from their header. Inside io only.
#pragma once

#include "blurfield/io/picture.h"

namespace blurfield::io {

// Bytes that this process may still allocate: MemAvailable, or less if its control group says so.
// Infinite where neither is known.
double available_memory();

// Throws Error if four copies of the image as elements of `element_size` bytes exceed `limit`
// bytes (0 = available_memory()): input, output and two fields are what the operations hold.
void require_memory(const Info& info, std::size_t element_size, double limit);

}  // namespace blurfield::io
