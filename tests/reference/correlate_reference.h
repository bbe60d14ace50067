// SPDX-License-Identifier: BSD-3-Clause
// Slow twins of the correlations of ops/correlate.h: the definitions, tap by tap, in double.
#pragma once

#include "blurfield/base/image.h"
#include "blurfield/ops/detail/convolution/correlation.h"

namespace blurfield::test {

// What job.out must hold.
template <class T>
Image<double> correlate_reference(const detail::Correlation<T>& job);

// What gradient.grad must hold.
template <class T>
Image<double> kernel_gradient_reference(const detail::KernelGradient<T>& gradient);

}  // namespace blurfield::test
