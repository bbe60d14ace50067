// SPDX-License-Identifier: BSD-3-Clause
// Slow twins of ops/local_filter.h: the definition (C2), pixel by pixel and tap by tap, in double.
#pragma once

#include "blurfield/base/image.h"
#include "blurfield/ops/local_filter.h"

namespace blurfield::test {

// out(p) = sum_d w(p, d) x(p + d).
template <class T>
Image<double> local_filter_reference(const View<const T>& x, const View<const T>& weights,
                                     const LocalFilterOptions& options);

// The gradients of <cotangent, out> by x and by the weights.
struct LocalFilterGradients {
  Image<double> x;
  Image<double> weights;
};
template <class T>
LocalFilterGradients local_filter_gradients(const View<const T>& x, const View<const T>& weights,
                                            const View<const T>& cotangent,
                                            const LocalFilterOptions& options);

}  // namespace blurfield::test
