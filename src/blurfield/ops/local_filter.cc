// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/local_filter.h"

#include <cmath>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/local_filter.h"
#include "blurfield/ops/detail/progress_step.h"

namespace blurfield {
namespace {

using detail::LocalKernels;
using detail::progress_step;

// A signal (N, C, L) as (N, C, 1, L).
template <class T>
View<T> as_image(const View<T>& v) {
  if (v.rank() != 3) return v;
  return {
      v.data, {v.shape[0], v.shape[1], 1, v.shape[2]}, {v.stride[0], v.stride[1], 0, v.stride[2]}};
}

// Checks all shapes and options, but not that pixels and weights are finite.
template <class T>
LocalKernels<T> checked(const char* operation, const View<const T>& x, const View<const T>& weights,
                        const LocalFilterOptions& options) {
  detail::check_shape(operation, "image", x.shape, x.data);
  const auto axes = static_cast<std::size_t>(x.spatial_rank());
  const auto& window = options.window;
  require(window.size() == axes, operation, "expected a window of ", axes, " extents, got ",
          window.size());
  for (Index extent : window) {
    require(extent >= 1 && extent <= Index{1} << 30, operation,
            "expected window extents in 1..2^30, got ", extent);
  }
  require(std::isfinite(options.extension.cval), operation, "expected a finite cval, got ",
          options.extension.cval);
  LocalKernels<T> kernels;
  kernels.kh = axes == 2 ? window[0] : 1;
  kernels.kw = window.back();
  kernels.channels = x.shape[1];
  Shape expected = x.shape;
  expected[1] = kernels.kh * kernels.kw;
  Shape shared = expected;
  shared[0] = 1;
  require(weights.data != nullptr && (weights.shape == expected || weights.shape == shared),
          operation, "expected weights shaped ", expected.text(), ", or of batch 1, for an image ",
          x.shape.text(), " and a window of ", kernels.kh, " x ", kernels.kw, ", got ",
          weights.shape.text());
  kernels.weights = as_image(weights);
  kernels.planes = kernels.channels * (x.shape[0] / weights.shape[0]);
  return kernels;
}

// out = sum_d w(d) x(p + d), or out += that. Every pixel and every weight is in some sum, so that
// they need a look of their own only where the result is not finite.
template <class T>
void sum(const char* operation, const View<const T>& x, const char* x_name, LocalKernels<T> kernels,
         const View<const T>& weights, const char* weights_name, const Extension& extension,
         bool add, const View<T>& out, const Execution& execution) {
  kernels.weights = as_image(weights);
  if (detail::local_sums(kernels, as_image(x), extension, add, as_image(out), execution)) return;
  detail::check_finite(operation, x_name, x);
  detail::check_finite(operation, weights_name, weights);
}

}  // namespace

template <class T>
void local_filter(const View<const T>& x, const View<const T>& weights, const View<T>& out,
                  const LocalFilterOptions& options) {
  constexpr const char* kName = "local_filter";
  const LocalKernels<T> kernels = checked(kName, x, weights, options);
  detail::check_same_shape(kName, "output", out.shape, x.shape);
  sum(kName, x, "image", kernels, weights, "weights", options.extension, false, out,
      options.execution);
}

template <class T>
void local_filter_vjp(const View<const T>& x, const View<const T>& weights,
                      const View<const T>& cotangent, const View<T>& grad_x,
                      const View<T>& grad_weights, const LocalFilterOptions& options) {
  constexpr const char* kName = "local_filter_vjp";
  const LocalKernels<T> kernels = checked(kName, x, weights, options);
  detail::check_finite(kName, "image", x, options.execution);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, x.shape);
  detail::check_shape(kName, "cotangent", cotangent.shape, cotangent.data);
  detail::check_finite(kName, "cotangent", cotangent, options.execution);
  if (!grad_x.empty()) detail::check_same_shape(kName, "grad_x", grad_x.shape, x.shape);
  if (!grad_weights.empty()) {
    detail::check_same_shape(kName, "grad_weights", grad_weights.shape, weights.shape);
  }
  const std::size_t steps = grad_x.empty() || grad_weights.empty() ? 1 : 2;
  const View<const T> u = as_image(cotangent);
  if (grad_x.empty()) {
    detail::check_finite(kName, "weights", weights, options.execution);
  } else if (!detail::local_adjoint(kernels, u, options.extension.mode, as_image(grad_x),
                                    progress_step(options.execution, 0, steps))) {
    detail::check_finite(kName, "weights", weights);
  }
  if (grad_weights.empty()) return;
  detail::local_weight_gradient(kernels, as_image(x), options.extension, u, as_image(grad_weights),
                                progress_step(options.execution, steps - 1, steps));
}

template <class T>
void local_filter_jvp(const View<const T>& x, const View<const T>& weights,
                      const View<const T>& x_dot, const View<const T>& weights_dot,
                      const View<T>& out_dot, const LocalFilterOptions& options) {
  constexpr const char* kName = "local_filter_jvp";
  const LocalKernels<T> kernels = checked(kName, x, weights, options);
  detail::check_same_shape(kName, "output", out_dot.shape, x.shape);
  if (!x_dot.empty()) detail::check_same_shape(kName, "x_dot", x_dot.shape, x.shape);
  if (!weights_dot.empty()) {
    detail::check_same_shape(kName, "weights_dot", weights_dot.shape, weights.shape);
  } else {
    detail::check_finite(kName, "image", x, options.execution);
  }
  const std::size_t steps = weights_dot.empty() ? 1 : 2;
  Extension linear = options.extension;
  linear.cval = 0.0;
  // An empty x_dot is a plane of zeros: the weights are still read, and found to be finite.
  const Image<T> zeros(x_dot.empty() ? x.shape : Shape{});
  sum(kName, x_dot.empty() ? zeros.view() : x_dot, "x_dot", kernels, weights, "weights", linear,
      false, out_dot, progress_step(options.execution, 0, steps));
  if (weights_dot.empty()) return;
  sum(kName, x, "image", kernels, weights_dot, "weights_dot", options.extension, true, out_dot,
      progress_step(options.execution, 1, steps));
}

#define BLURFIELD_INSTANTIATE(T)                                                                   \
  template void local_filter(const View<const T>&, const View<const T>&, const View<T>&,           \
                             const LocalFilterOptions&);                                           \
  template void local_filter_vjp(const View<const T>&, const View<const T>&, const View<const T>&, \
                                 const View<T>&, const View<T>&, const LocalFilterOptions&);       \
  template void local_filter_jvp(const View<const T>&, const View<const T>&, const View<const T>&, \
                                 const View<const T>&, const View<T>&, const LocalFilterOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
