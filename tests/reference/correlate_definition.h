// SPDX-License-Identifier: BSD-3-Clause
// Correlation as ops/correlate.h defines it, from options to result, in double.
#pragma once

#include "blurfield/base/image.h"
#include "blurfield/ops/correlate.h"

namespace blurfield::test {

// x is (N, C, H, W), the kernel (kh, kw), (C, kh, kw) or (K, C, kh, kw).
Image<double> correlate_by_definition(const View<const double>& x, const View<const double>& kernel,
                                      const CorrelateOptions& options);

}  // namespace blurfield::test
