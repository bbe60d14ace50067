// SPDX-License-Identifier: BSD-3-Clause
// From options to the two axes of a correlation. Throws Error in the operation's name.
#pragma once

#include <vector>

#include "blurfield/ops/correlate.h"
#include "blurfield/ops/detail/convolution/correlation.h"

namespace blurfield::detail {

struct Geometry {
  CorrelationAxis y;  // of one pixel and one tap for signals
  CorrelationAxis x;
};

// `window` holds the kernel's extents, one per spatial axis of `shape`, (N, C, L) or (N, C, H, W).
Geometry correlate_geometry(const char* operation, const Shape& shape,
                            const std::vector<Index>& window, const CorrelateOptions& options);

// (N, channels, Lo) or (N, channels, Ho, Wo), of the rank of `shape`.
Shape output_shape(const Shape& shape, Index channels, const Geometry& geometry);

// One number per spatial axis from none (`otherwise`), one, or one per axis; each at least `least`.
std::vector<Index> per_axis(const char* operation, const char* name,
                            const std::vector<Index>& given, int axes, Index otherwise,
                            Index least);

}  // namespace blurfield::detail
