// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/uniform_blur.h"

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/progress_step.h"
#include "blurfield/ops/detail/uniform/operator.h"

namespace blurfield {

using detail::progress_step;
using detail::UniformOperator;
using detail::UniformPart;

namespace {

template <class T>
void check(const char* operation, const char* name, const View<const T>& view,
           const BlurOptions& options) {
  detail::check_shape(operation, name, view.shape, view.data);
  detail::check_finite(operation, name, view, options.execution);
}

}  // namespace

template <class T>
BlurReport uniform_blur(const View<const T>& x, std::span<const double> gaussian,
                        const View<T>& out, const BlurOptions& options) {
  constexpr const char* kName = "uniform_blur";
  detail::check_shape(kName, "image", x.shape, x.data);
  detail::check_same_shape(kName, "output", out.shape, x.shape);
  const UniformOperator<T> blur(kName, x.shape, gaussian, options);
  const bool finite = blur.apply({}, x, false, out, options.execution);
  // A pixel that is not finite always shows in the result; looking for it there costs nothing.
  if (!finite) detail::check_finite(kName, "image", x);
  return blur.report();
}

template <class T>
void uniform_blur_vjp(const View<const T>& x, std::span<const double> gaussian,
                      const View<const T>& cotangent, const View<T>& grad_x,
                      std::span<double> grad_gaussian, const BlurOptions& options) {
  constexpr const char* kName = "uniform_blur_vjp";
  check(kName, "image", x, options);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, x.shape);
  check(kName, "cotangent", cotangent, options);
  const UniformOperator<T> blur(kName, x.shape, gaussian, options);
  require(grad_gaussian.empty() || grad_gaussian.size() == gaussian.size(), kName, "expected ",
          gaussian.size(), " gradients by parameters, got ", grad_gaussian.size());
  const std::size_t steps = grad_gaussian.size() + (grad_x.empty() ? 0 : 1);
  for (std::size_t i = 0; i < grad_gaussian.size(); ++i) {
    grad_gaussian[i] =
        blur.dot({UniformPart::slope, i}, cotangent, x, progress_step(options.execution, i, steps));
  }
  if (grad_x.empty()) return;
  detail::check_same_shape(kName, "grad_x", grad_x.shape, x.shape);
  blur.apply({UniformPart::transpose}, cotangent, false, grad_x,
             progress_step(options.execution, steps - 1, steps));
}

template <class T>
void uniform_blur_jvp(const View<const T>& x, std::span<const double> gaussian,
                      const View<const T>& x_dot, std::span<const double> gaussian_dot,
                      const View<T>& out_dot, const BlurOptions& options) {
  constexpr const char* kName = "uniform_blur_jvp";
  check(kName, "image", x, options);
  detail::check_same_shape(kName, "output", out_dot.shape, x.shape);
  const UniformOperator<T> blur(kName, x.shape, gaussian, options);
  require(gaussian_dot.empty() || gaussian_dot.size() == gaussian.size(), kName, "expected ",
          gaussian.size(), " directions of parameters, got ", gaussian_dot.size());
  const std::size_t steps = gaussian_dot.size() + (x_dot.empty() ? 0 : 1);
  for (std::size_t i = 0; i < gaussian_dot.size(); ++i) {
    blur.apply({UniformPart::slope, i, gaussian_dot[i]}, x, i > 0, out_dot,
               progress_step(options.execution, i, steps));
  }
  if (!x_dot.empty()) {
    detail::check_same_shape(kName, "x_dot", x_dot.shape, x.shape);
    check(kName, "x_dot", x_dot, options);
    blur.apply({UniformPart::linear}, x_dot, steps > 1, out_dot,
               progress_step(options.execution, steps - 1, steps));
  }
  if (steps == 0) copy<T>(Image<T>(x.shape), out_dot);
}

template <class T>
BlurReport uniform_blur_plan(const Shape& shape, std::span<const double> gaussian,
                             const BlurOptions& options) {
  return UniformOperator<T>("uniform_blur_plan", shape, gaussian, options).report();
}

double uniform_blur_taps(const Shape& shape, std::span<const double> gaussian,
                         const BlurOptions& options) {
  const detail::UniformGaussian kernel("uniform_blur_taps", shape, gaussian, options);
  return static_cast<double>(shape.elements()) * kernel.taps();
}

#define BLURFIELD_INSTANTIATE(T)                                                                  \
  template BlurReport uniform_blur(const View<const T>&, std::span<const double>, const View<T>&, \
                                   const BlurOptions&);                                           \
  template void uniform_blur_vjp(const View<const T>&, std::span<const double>,                   \
                                 const View<const T>&, const View<T>&, std::span<double>,         \
                                 const BlurOptions&);                                             \
  template void uniform_blur_jvp(const View<const T>&, std::span<const double>,                   \
                                 const View<const T>&, std::span<const double>, const View<T>&,   \
                                 const BlurOptions&);                                             \
  template BlurReport uniform_blur_plan<T>(const Shape&, std::span<const double>,                 \
                                           const BlurOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
