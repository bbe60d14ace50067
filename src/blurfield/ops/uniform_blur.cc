// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/uniform_blur.h"

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/gaussian_terms.h"
#include "blurfield/ops/detail/progress_step.h"

namespace blurfield {

using detail::progress_step;
using detail::TermSum;
using detail::UniformGaussian;

template <class T>
void uniform_blur(const View<const T>& x, std::span<const double> gaussian, const View<T>& out,
                  const BlurOptions& options) {
  constexpr const char* kName = "uniform_blur";
  detail::check_shape(kName, "image", x.shape, x.data);
  detail::check_same_shape(kName, "output", out.shape, x.shape);
  const UniformGaussian kernel(kName, x.shape, gaussian, options);
  const bool finite = detail::apply_terms(kernel.blur<T>(), x, false, out);
  // A pixel that is not finite always shows in the result; looking for it there costs nothing.
  if (!finite) detail::check_finite(kName, "image", x);
}

template <class T>
void uniform_blur_vjp(const View<const T>& x, std::span<const double> gaussian,
                      const View<const T>& cotangent, const View<T>& grad_x,
                      std::span<double> grad_gaussian, const BlurOptions& options) {
  constexpr const char* kName = "uniform_blur_vjp";
  detail::check_image(kName, x);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, x.shape);
  detail::check_image(kName, cotangent, "cotangent");
  const UniformGaussian kernel(kName, x.shape, gaussian, options);
  require(grad_gaussian.empty() || grad_gaussian.size() == gaussian.size(), kName, "expected ",
          gaussian.size(), " gradients by parameters, got ", grad_gaussian.size());
  const std::size_t steps = grad_gaussian.size() + (grad_x.empty() ? 0 : 1);
  for (std::size_t i = 0; i < grad_gaussian.size(); ++i) {
    TermSum slope = kernel.slope<T>(i);
    slope.execution = progress_step(options.execution, i, steps);
    grad_gaussian[i] = detail::dot_terms(slope, cotangent, x);
  }
  if (grad_x.empty()) return;
  detail::check_same_shape(kName, "grad_x", grad_x.shape, x.shape);
  TermSum transposed = detail::adjoint(kernel.blur<T>());
  transposed.execution = progress_step(options.execution, steps - 1, steps);
  detail::apply_terms(transposed, cotangent, false, grad_x);
}

template <class T>
void uniform_blur_jvp(const View<const T>& x, std::span<const double> gaussian,
                      const View<const T>& x_dot, std::span<const double> gaussian_dot,
                      const View<T>& out_dot, const BlurOptions& options) {
  constexpr const char* kName = "uniform_blur_jvp";
  detail::check_image(kName, x);
  detail::check_same_shape(kName, "output", out_dot.shape, x.shape);
  const UniformGaussian kernel(kName, x.shape, gaussian, options);
  require(gaussian_dot.empty() || gaussian_dot.size() == gaussian.size(), kName, "expected ",
          gaussian.size(), " directions of parameters, got ", gaussian_dot.size());
  const std::size_t steps = gaussian_dot.size() + (x_dot.empty() ? 0 : 1);
  for (std::size_t i = 0; i < gaussian_dot.size(); ++i) {
    TermSum slope = detail::scaled(kernel.slope<T>(i), gaussian_dot[i]);
    slope.execution = progress_step(options.execution, i, steps);
    detail::apply_terms(slope, x, i > 0, out_dot);
  }
  if (!x_dot.empty()) {
    detail::check_same_shape(kName, "x_dot", x_dot.shape, x.shape);
    detail::check_image(kName, x_dot, "x_dot");
    TermSum linear = detail::linear_part(kernel.blur<T>());
    linear.execution = progress_step(options.execution, steps - 1, steps);
    detail::apply_terms(linear, x_dot, steps > 1, out_dot);
  }
  if (steps == 0) copy<T>(Image<T>(x.shape), out_dot);
}

double uniform_blur_taps(const Shape& shape, std::span<const double> gaussian,
                         const BlurOptions& options) {
  const UniformGaussian kernel("uniform_blur_taps", shape, gaussian, options);
  return static_cast<double>(shape.elements()) * kernel.taps();
}

#define BLURFIELD_INSTANTIATE(T)                                                                \
  template void uniform_blur(const View<const T>&, std::span<const double>, const View<T>&,     \
                             const BlurOptions&);                                               \
  template void uniform_blur_vjp(const View<const T>&, std::span<const double>,                 \
                                 const View<const T>&, const View<T>&, std::span<double>,       \
                                 const BlurOptions&);                                           \
  template void uniform_blur_jvp(const View<const T>&, std::span<const double>,                 \
                                 const View<const T>&, std::span<const double>, const View<T>&, \
                                 const BlurOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
