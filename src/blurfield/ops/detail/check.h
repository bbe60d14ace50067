// SPDX-License-Identifier: BSD-3-Clause
// The checks that operations share at their edges. Each throws Error in the operation's name.
#pragma once

#include "blurfield/ops/blur_options.h"
#include "blurfield/ops/gaussian_kernel.h"

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

// truncate must be finite and > 0, the explicit radius >= 0 and empty, one number, or one per axis;
// cval must be finite.
void check_options(const char* operation, const BlurOptions& options, int spatial_axes);

// The radius along spatial axis 0.. of a Gaussian of width sigma there.
inline int resolve_radius(const BlurOptions& options, int axis, double sigma) {
  if (options.radius.empty()) return gaussian_radius(sigma, options.truncate);
  return options.radius.size() == 1 ? options.radius[0]
                                    : options.radius[static_cast<std::size_t>(axis)];
}

// "(n, c, y, x)", or "(n, c, x)" for a signal.
std::string pixel_text(const Shape& shape, Index n, Index c, Index y, Index x);

}  // namespace blurfield::detail
