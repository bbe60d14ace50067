// SPDX-License-Identifier: BSD-3-Clause
// What each method of ops/correlate.h computes: a correlation reduced to two axes, packed kernels
// and groups of channels. Kernels are flipped and anchors resolved before; arrays are checked.
#pragma once

#include <array>

#include "blurfield/base/extension.h"
#include "blurfield/base/parallel.h"
#include "blurfield/base/view.h"

namespace blurfield::detail {

// One axis: out(o) = sum_i w(i) x(extend(o * stride + i * dilation - before)), 0 <= o < out.
struct CorrelationAxis {
  Index in = 1;      // pixels of the image
  Index out = 1;     // pixels of the output
  Index taps = 1;    // of the kernel
  Index before = 0;  // pixels of the extension before the image; negative: starts inside
  Index stride = 1;
  Index dilation = 1;

  Index span() const { return dilation * (taps - 1) + 1; }    // pixels from first to last tap
  Index first(Index o) const { return o * stride - before; }  // that output o reads
};

// out(n, g K + k) = sum_c kernels(g, k, c) * x(n, g C + c). Signals have height 1 and kh = 1.
template <class T>
struct Correlation {
  View<const T> x;        // (N, G C, H, W)
  View<const T> kernels;  // (G, K, C, kh, kw), packed but for stride[0] = 0: one set for all groups
  View<T> out;            // (N, G K, Ho, Wo)
  CorrelationAxis y_axis;
  CorrelationAxis x_axis;
  Extension extension;
  Execution execution;

  Index groups() const { return kernels.shape[0]; }
  Index outputs() const { return kernels.shape[1]; }  // of a group
  Index inputs() const { return kernels.shape[2]; }   // of a group
};

// Each computes all of `out`, equal to the others but for rounding.
// Those that know at no cost return whether all of it is finite; separable also tells its rank.
template <class T>
bool correlate_direct(const Correlation<T>& job);
template <class T>
bool correlate_separable(const Correlation<T>& job, int* rank);
template <class T>
void correlate_gemm(const Correlation<T>& job);
template <class T>
void correlate_fft(const Correlation<T>& job);

// The gradient by the kernels: grad(g, k, c, i, j) = sum over n and outputs (oy, ox) of
// cotangent(n, g K + k, oy, ox) x(n, g C + c, extended as above). The Correlation's `kernels` gives
// shapes only; where its stride[0] is 0, groups are summed too.
template <class T>
struct KernelGradient {
  Correlation<T> job;       // `out` is not used
  View<const T> cotangent;  // (N, G K, Ho, Wo)
  View<double> grad;        // (G or 1, K, C, kh, kw), packed
};
template <class T>
void kernel_gradient_direct(const KernelGradient<T>& gradient);
template <class T>
void kernel_gradient_gemm(const KernelGradient<T>& gradient);
template <class T>
void kernel_gradient_fft(const KernelGradient<T>& gradient);

}  // namespace blurfield::detail
