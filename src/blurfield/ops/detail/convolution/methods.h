// SPDX-License-Identifier: BSD-3-Clause
// The methods by name, and the choice between them.
#pragma once

#include "blurfield/ops/correlate.h"
#include "blurfield/ops/detail/convolution/correlation.h"

namespace blurfield::detail {

// The plan for job: `method` itself, or for `automatic` the cheapest by the model. Kernels are read
// where a low rank could make separable the cheapest.
template <class T>
CorrelatePlan choose_method(const Correlation<T>& job, ConvolutionMethod method);

struct Outcome {
  CorrelatePlan plan;
  bool finite = true;  // all of the output
};

// Computes job.out by this method, or the cheapest.
template <class T>
Outcome run_correlation(const Correlation<T>& job, ConvolutionMethod method);

// Computes gradient.grad. The separable method has no gradient of its own and takes the direct one.
template <class T>
void run_kernel_gradient(const KernelGradient<T>& gradient, ConvolutionMethod method);

}  // namespace blurfield::detail
