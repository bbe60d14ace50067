// SPDX-License-Identifier: BSD-3-Clause
// The checks that blurs share at their edges, beside those of arrays. Each throws Error in the
// operation's name.
#pragma once

#include "blurfield/base/check.h"
#include "blurfield/ops/blur_options.h"
#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield::detail {

// truncate must be finite and > 0, tolerance within 0..1, the explicit radius >= 0 and empty, one
// number, or one per axis; cval must be finite.
void check_options(const char* operation, const BlurOptions& options, int spatial_axes);

// Sigmas after which kernels end: what is set, or what the tolerance allows.
double resolve_truncate(const BlurOptions& options);

// The radius along spatial axis 0.. of a Gaussian of width sigma there.
inline int resolve_radius(const BlurOptions& options, int axis, double sigma) {
  if (options.radius.empty()) return gaussian_radius(sigma, resolve_truncate(options));
  return options.radius.size() == 1 ? options.radius[0]
                                    : options.radius[static_cast<std::size_t>(axis)];
}

}  // namespace blurfield::detail
