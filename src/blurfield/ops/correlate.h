// SPDX-License-Identifier: BSD-3-Clause
// Correlation and convolution of images (N, C, H, W) and signals (N, C, L) with given kernels:
//   correlate  out(o) = sum_i w(i) x(o stride + (i - anchor) dilation)
//   convolve   out(o) = sum_i w(i) x(o stride - (i - anchor) dilation)
// on each axis, x by `extension` beyond the border. The anchor is taps / 2 for Output::same; even
// sizes are allowed. The kernel's rank tells how it meets channels (for images; signals have no
// kh):
//   (kh, kw)        one kernel shared by all channels    -> (N, C, Ho, Wo)
//   (C, kh, kw)     depthwise, one per channel           -> (N, C, Ho, Wo)
//   (K, C, kh, kw)  a bank, summed over channels         -> (N, K, Ho, Wo)
// Four methods give one answer, to 1e-12 (double) or 1e-5 (float) of the largest possible output:
//   direct     the sum itself, N K C Ho Wo kh kw multiply-adds
//   separable  the kernel's singular values first, then one pass per axis and rank
//   gemm       patches packed by panels that fit the cache, into a BLAS
//   fft        by overlapping blocks, a cost that grows with the logarithm of the kernel's size
// and `automatic` takes the one that a calibrated model (docs/benchmarks.md) finds cheapest.
//
// All functions throw Error for arrays that are not finite, shapes that do not match, extents of 0,
// or an empty output. Outputs must not overlap inputs. Results do not depend on the number of
// threads.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "blurfield/base/extension.h"
#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"

namespace blurfield {

enum class Output {
  same,   // ceil(n / stride) pixels, as many as the image for stride 1
  full,   // every position where kernel and image overlap
  valid,  // only positions where the kernel lies within the image
};

enum class ConvolutionMethod { automatic, direct, separable, gemm, fft };

std::string_view output_name(Output output);
std::optional<Output> parse_output(std::string_view name);
std::string_view method_name(ConvolutionMethod method);  // "auto" for automatic
std::optional<ConvolutionMethod> parse_method(std::string_view name);

// stride, dilation, padding: empty, one number for all axes, or one per spatial axis, (y, x).
struct CorrelateOptions {
  Extension extension;
  Output output = Output::same;
  std::vector<Index> stride;    // >= 1; empty: 1
  std::vector<Index> dilation;  // >= 1; empty: 1
  // Pixels of extension on both sides, >= 0; replaces `output`, which must then be left alone:
  // size out = floor((n + 2 padding - dilation (taps - 1) - 1) / stride) + 1 (C1).
  std::vector<Index> padding;
  bool flip = false;  // convolve instead of correlate
  ConvolutionMethod method = ConvolutionMethod::automatic;
  Execution execution;
};

// Shape of the output. Throws Error as correlate would.
Shape correlate_shape(const Shape& x, const Shape& kernel, const CorrelateOptions& options = {});

// What correlate does.
struct CorrelatePlan {
  ConvolutionMethod method = ConvolutionMethod::direct;
  // Terms of the separable sum, the most of all (K, C) kernels; 0 for the other methods.
  int rank = 0;
  double multiply_adds = 0;  // of the direct sum
  // Of one core, predicted for direct, separable, gemm, fft by the choice of `automatic`; infinite
  // for what could not be the cheapest, 0 where the method was named.
  std::array<double, 4> seconds{};
};
// Returns what it did.
template <class T>
CorrelatePlan correlate(const View<const T>& x, const View<const T>& kernel, const View<T>& out,
                        const CorrelateOptions& options = {});

template <class T>
Image<T> correlate(const View<const T>& x, const View<const T>& kernel,
                   const CorrelateOptions& options = {}) {
  Image<T> out(correlate_shape(x.shape, kernel.shape, options));
  correlate<T>(x, kernel, out, options);
  return out;
}

template <class T>
Image<T> convolve(const View<const T>& x, const View<const T>& kernel,
                  CorrelateOptions options = {}) {
  options.flip = !options.flip;
  return correlate<T>(x, kernel, options);
}

// Gradients of <cotangent, out> by x and by the kernel; an empty view is not computed. With
// cval != 0, grad_x is that of the linear part; grad_kernel is exact.
template <class T>
void correlate_vjp(const View<const T>& x, const View<const T>& kernel,
                   const View<const T>& cotangent, const View<T>& grad_x,
                   const View<T>& grad_kernel, const CorrelateOptions& options = {});

// out_dot = the derivative of out along (x_dot, kernel_dot); an empty one counts as zero.
template <class T>
void correlate_jvp(const View<const T>& x, const View<const T>& kernel, const View<const T>& x_dot,
                   const View<const T>& kernel_dot, const View<T>& out_dot,
                   const CorrelateOptions& options = {});

// What correlate would do.
template <class T>
CorrelatePlan plan_correlate(const Shape& x, const View<const T>& kernel,
                             const CorrelateOptions& options = {});

}  // namespace blurfield
