// SPDX-License-Identifier: BSD-3-Clause
// Checks of arrays at the edges of operations. Each throws Error in the operation's name.
#pragma once

#include "blurfield/base/parallel.h"
#include "blurfield/base/view.h"

namespace blurfield::detail {

// `name` (image, field, cotangent...) must be a signal (N, C, L) or an image (N, C, H, W) with
// extents >= 1 and pixels.
void check_shape(const char* operation, const char* name, const Shape& shape, const void* pixels);

// Whether `count` pixels `stride` apart are all finite.
template <class T>
bool all_finite(const T* row, Index count, Index stride);

// All pixels must be finite; the message names the first (n, c, y, x) that is not.
template <class T>
void check_finite(const char* operation, const char* name, const View<const T>& view);

// The same in parallel, for large arrays.
template <class T>
void check_finite(const char* operation, const char* name, const View<const T>& view,
                  const Execution& execution);

// check_shape and check_finite.
template <class T>
void check_image(const char* operation, const View<const T>& view, const char* name = "image");

void check_same_shape(const char* operation, const char* name, const Shape& got,
                      const Shape& expected);

// "(n, c, y, x)", or "(n, c, x)" for a signal.
std::string pixel_text(const Shape& shape, Index n, Index c, Index y, Index x);

}  // namespace blurfield::detail
