// SPDX-License-Identifier: BSD-3-Clause
// Slow twins of the uniform filters: the definitions, tap by tap, in double.
#pragma once

#include <vector>

#include "blurfield/base/extension.h"
#include "blurfield/base/image.h"
#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield::test {

// out(t) = sum_k taps[k] x(t + k - centre) along y (axis 0) or x (axis 1) of an image, or along a
// signal (axis 1); the centre is the middle tap.
Image<double> correlate_axis(const Image<double>& x, const std::vector<double>& taps, int axis,
                             const Extension& extension);

// out(p) = sum_d kernel(d) x(p + d).
Image<double> correlate_2d(const Image<double>& x, const Kernel2d& kernel,
                           const Extension& extension);

}  // namespace blurfield::test
