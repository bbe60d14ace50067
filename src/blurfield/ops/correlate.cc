// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/correlate.h"

#include <algorithm>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/convolution/geometry.h"
#include "blurfield/ops/detail/convolution/methods.h"
#include "blurfield/ops/detail/convolution/window.h"
#include "blurfield/ops/detail/progress_step.h"

namespace blurfield {
namespace {

using detail::Correlation;
using detail::CorrelationAxis;
using detail::Geometry;

constexpr std::array<std::string_view, 3> kOutputs{"same", "full", "valid"};
constexpr std::array<std::string_view, 5> kMethods{"auto", "direct", "separable", "gemm", "fft"};

template <class Enum, std::size_t count>
std::optional<Enum> parse(const std::array<std::string_view, count>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

// How the kernel meets the channels of x, and what that leaves to compute.
struct Layout {
  Geometry geometry;
  Shape kernels;        // (G, K, C, kh, kw)
  bool shared = false;  // one set of kernels for all groups
  Shape out;
};

Layout lay_out(const char* operation, const Shape& x, const Shape& kernel,
               const CorrelateOptions& options) {
  require(x.rank() == 3 || x.rank() == 4, operation,
          "expected an image (N, C, H, W) or a signal (N, C, L), got shape ", x.text());
  const int axes = x.rank() - 2;
  const int leading = kernel.rank() - axes;
  const Index channels = x[1];
  const char* taps = axes == 2 ? "kh, kw)" : "k)";
  require(leading >= 0 && leading <= 2, operation, "expected a kernel (", taps, ", (C, ", taps,
          " or (K, C, ", taps, " for an image of shape ", x.text(), ", got shape ", kernel.text());
  for (int axis = 0; axis < kernel.rank(); ++axis) {
    require(kernel[axis] >= 1, operation, "expected a kernel with extents >= 1, got shape ",
            kernel.text());
  }
  require(leading == 0 || kernel[leading - 1] == channels, operation, "expected a kernel for ",
          channels, " channels, got shape ", kernel.text());
  std::vector<Index> window;
  for (int axis = leading; axis < kernel.rank(); ++axis) window.push_back(kernel[axis]);
  Layout layout;
  layout.geometry = detail::correlate_geometry(operation, x, window, options);
  const Index kh = layout.geometry.y.taps;
  const Index kw = layout.geometry.x.taps;
  layout.shared = leading == 0;
  layout.kernels =
      leading == 2 ? Shape{1, kernel[0], channels, kh, kw} : Shape{channels, 1, 1, kh, kw};
  layout.out = detail::output_shape(x, leading == 2 ? kernel[0] : channels, layout.geometry);
  return layout;
}

template <class T>
void reverse_taps(T* taps, Index sets, Index count) {
  for (Index set = 0; set < sets; ++set) std::reverse(taps + set * count, taps + (set + 1) * count);
}

// The kernels as job.kernels wants them.
template <class T>
struct Kernels {
  Image<T> packed;
  View<const T> view;
};

template <class T>
Kernels<T> pack_kernels(const View<const T>& kernel, const Layout& layout, bool flip) {
  const Shape& s = layout.kernels;
  const Shape sets = layout.shared ? Shape{1, 1, 1, s[3], s[4]} : s;
  Kernels<T> kernels{Image<T>(sets), {}};
  copy(kernel, View<T>(kernels.packed.data(), kernel.shape));
  if (flip) reverse_taps(kernels.packed.data(), sets[0] * sets[1] * sets[2], s[3] * s[4]);
  kernels.view = kernels.packed.view();
  kernels.view.shape = s;
  if (layout.shared) kernels.view.stride[0] = 0;
  return kernels;
}

template <class T>
Correlation<T> make_job(const View<const T>& x, const Kernels<T>& kernels, const View<T>& out,
                        const Layout& layout, const CorrelateOptions& options) {
  return {x,
          kernels.view,
          out,
          layout.geometry.y,
          layout.geometry.x,
          options.extension,
          options.execution};
}

// Finite kernels are required; the taps of a view of any rank are read packed.
template <class T>
void check_kernel(const char* operation, const char* name, const Image<T>& packed) {
  const View<const T> taps(packed.data(), Shape{1, 1, packed.elements()});
  detail::check_finite(operation, name, taps);
}

// Zeros between the pixels of a cotangent, as many as the strides skip.
template <class T>
Image<T> spread_out(const View<const T>& cotangent, const Layout& layout) {
  const CorrelationAxis& y = layout.geometry.y;
  const CorrelationAxis& x = layout.geometry.x;
  Shape shape = layout.out;
  shape[shape.rank() - 1] = (x.out - 1) * x.stride + 1;
  if (shape.rank() == 4) shape[2] = (y.out - 1) * y.stride + 1;
  Image<T> spread(shape);
  View<T> pixels = spread;
  pixels.shape = layout.out;
  pixels.stride[shape.rank() - 1] *= x.stride;
  if (shape.rank() == 4) pixels.stride[2] *= y.stride;
  copy(cotangent, pixels);
  return spread;
}

// Positions begin..end-1 of the extended image.
struct Span {
  Index begin = 0;
  Index end = 0;
  Index count() const { return end - begin; }
};

// All positions that outputs read.
Span extent(const CorrelationAxis& axis) {
  return {-axis.before, axis.first(axis.out - 1) + axis.span()};
}

// The axis of the adjoint, for outputs at positions `to`: without stride, since zeros stand between
// the cotangent's pixels.
CorrelationAxis adjoint_axis(const CorrelationAxis& axis, const Span& to) {
  return {(axis.out - 1) * axis.stride + 1,         to.count(), axis.taps,
          axis.span() - 1 - axis.before - to.begin, 1,          axis.dilation};
}

// The adjoint in the image: the cotangent correlated with the mirrored kernels gives the gradient
// on the extended image; its frame is grad_x, what lies beyond is folded back onto it.
template <class T>
class ImageGradient {
 public:
  ImageGradient(const View<const T>& cotangent, const Kernels<T>& kernels, const Layout& layout,
                const View<T>& grad_x, const CorrelateOptions& options)
      : layout_(layout), options_(options), grad_x_(grad_x), cotangent_(cotangent) {
    const auto& k = kernels.view;
    mirrored_ =
        Image<T>({layout.shared ? 1 : k.shape[0], k.shape[2], k.shape[1], k.shape[3], k.shape[4]});
    View<T> exchanged(mirrored_.data(), mirrored_.shape());
    std::swap(exchanged.shape[1], exchanged.shape[2]);
    std::swap(exchanged.stride[1], exchanged.stride[2]);
    View<const T> source = k;
    source.shape[0] = mirrored_.shape()[0];
    copy(source, exchanged);
    const Index taps = k.shape[3] * k.shape[4];
    reverse_taps(mirrored_.data(), mirrored_.elements() / taps, taps);
    if (layout.geometry.y.stride > 1 || layout.geometry.x.stride > 1) {
      spread_ = spread_out(cotangent, layout);
      cotangent_ = spread_.view();
    }
  }

  void run() {
    const Span height{0, layout_.geometry.y.in};
    const Span width{0, layout_.geometry.x.in};
    steps_ = options_.extension.mode == Mode::constant ? 1 : 5;
    write(height, width, grad_x_);
    if (options_.extension.mode == Mode::constant) return;
    const Span y = extent(layout_.geometry.y);
    const Span x = extent(layout_.geometry.x);
    fold({y.begin, std::min<Index>(y.end, 0)}, x);
    fold({std::max(y.begin, height.end), y.end}, x);
    const Span inside{std::max<Index>(y.begin, 0), std::min(y.end, height.end)};
    fold(inside, {x.begin, std::min<Index>(x.end, 0)});
    fold(inside, {std::max(x.begin, width.end), x.end});
  }

 private:
  void write(const Span& ys, const Span& xs, const View<T>& out) {
    View<const T> kernels = mirrored_.view();
    kernels.shape[0] = layout_.kernels[0];
    if (layout_.shared) kernels.stride[0] = 0;
    const Correlation<T> job{cotangent_,
                             kernels,
                             out,
                             adjoint_axis(layout_.geometry.y, ys),
                             adjoint_axis(layout_.geometry.x, xs),
                             {Mode::constant, 0.0},
                             detail::progress_step(options_.execution, step_++, steps_)};
    detail::run_correlation(job, options_.method);
  }

  void fold(const Span& ys, const Span& xs) {
    if (ys.count() <= 0 || xs.count() <= 0) return;
    Shape shape = grad_x_.shape;
    shape[shape.rank() - 1] = xs.count();
    if (shape.rank() == 4) shape[2] = ys.count();
    Image<T> beyond(shape);
    const View<T> from = beyond;
    write(ys, xs, from);
    for (Index n = 0; n < from.batch(); ++n) {
      for (Index c = 0; c < from.channels(); ++c) {
        detail::add_window(from.row(n, c, 0), from.width(), {ys.begin, 1, ys.count()},
                           {xs.begin, 1, xs.count()}, options_.extension.mode, grad_x_.height(),
                           grad_x_.width(), grad_x_.row(n, c, 0), grad_x_.y_stride(),
                           grad_x_.x_stride());
      }
    }
  }

  const Layout& layout_;
  const CorrelateOptions& options_;
  std::size_t steps_ = 1;  // the frame and four strips around it
  std::size_t step_ = 0;
  View<T> grad_x_;
  View<const T> cotangent_;  // zeros between its pixels where there are strides
  Image<T> mirrored_;        // (G or 1, C, K, kh, kw)
  Image<T> spread_;
};

// The gradient by the kernel, in the kernel's own shape and order of taps.
template <class T>
void write_kernel_gradient(const Correlation<T>& job, const View<const T>& cotangent,
                           const Layout& layout, const View<T>& grad_kernel,
                           const CorrelateOptions& options) {
  Shape sets = layout.kernels;
  if (layout.shared) sets[0] = 1;
  Image<double> sums(sets);
  detail::run_kernel_gradient<T>({job, cotangent, sums}, options.method);
  const Index taps = sets[3] * sets[4];
  if (options.flip) reverse_taps(sums.data(), sums.elements() / taps, taps);
  Image<T> grad(sets);
  std::transform(sums.data(), sums.data() + sums.elements(), grad.data(),
                 [](double v) { return static_cast<T>(v); });
  copy(View<const T>(grad.data(), grad_kernel.shape), grad_kernel);
}

// Extensions of constant cval count as 0 for directions of the image.
CorrelateOptions linear_part(CorrelateOptions options) {
  options.extension.cval = 0.0;
  return options;
}

// The common part of correlate and its jvp.
template <class T>
CorrelatePlan run(const char* operation, const View<const T>& x, const char* x_name,
                  const View<const T>& kernel, const char* kernel_name, const View<T>& out,
                  const CorrelateOptions& options) {
  detail::check_shape(operation, x_name, x.shape, x.data);
  const Layout layout = lay_out(operation, x.shape, kernel.shape, options);
  detail::check_same_shape(operation, "output", out.shape, layout.out);
  const Kernels<T> kernels = pack_kernels(kernel, layout, options.flip);
  check_kernel(operation, kernel_name, kernels.packed);
  // A pixel that is not finite shows in the result where every pixel is read, which costs less than
  // looking at the image.
  const bool all_read = options.output != Output::valid && options.padding.empty() &&
                        layout.geometry.y.stride == 1 && layout.geometry.x.stride == 1 &&
                        layout.geometry.y.dilation == 1 && layout.geometry.x.dilation == 1;
  if (!all_read) detail::check_finite(operation, x_name, x, options.execution);
  const detail::Outcome outcome =
      detail::run_correlation(make_job(x, kernels, out, layout, options), options.method);
  if (!outcome.finite) detail::check_finite(operation, x_name, x);
  return outcome.plan;
}

}  // namespace

std::string_view output_name(Output output) { return kOutputs[static_cast<std::size_t>(output)]; }
std::optional<Output> parse_output(std::string_view name) { return parse<Output>(kOutputs, name); }
std::string_view method_name(ConvolutionMethod method) {
  return kMethods[static_cast<std::size_t>(method)];
}
std::optional<ConvolutionMethod> parse_method(std::string_view name) {
  return parse<ConvolutionMethod>(kMethods, name);
}

Shape correlate_shape(const Shape& x, const Shape& kernel, const CorrelateOptions& options) {
  return lay_out("correlate", x, kernel, options).out;
}

template <class T>
CorrelatePlan correlate(const View<const T>& x, const View<const T>& kernel, const View<T>& out,
                        const CorrelateOptions& options) {
  return run("correlate", x, "image", kernel, "kernel", out, options);
}

template <class T>
void correlate_vjp(const View<const T>& x, const View<const T>& kernel,
                   const View<const T>& cotangent, const View<T>& grad_x,
                   const View<T>& grad_kernel, const CorrelateOptions& options) {
  constexpr const char* kName = "correlate_vjp";
  detail::check_image(kName, x);
  const Layout layout = lay_out(kName, x.shape, kernel.shape, options);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, layout.out);
  detail::check_image(kName, cotangent, "cotangent");
  const Kernels<T> kernels = pack_kernels(kernel, layout, options.flip);
  check_kernel(kName, "kernel", kernels.packed);
  const std::size_t steps = (grad_x.empty() ? 0 : 1) + (grad_kernel.empty() ? 0 : 1);
  CorrelateOptions step = options;
  if (!grad_kernel.empty()) {
    detail::check_same_shape(kName, "grad_kernel", grad_kernel.shape, kernel.shape);
    step.execution = detail::progress_step(options.execution, 0, steps);
    const View<T> none(nullptr, layout.out);
    write_kernel_gradient(make_job(x, kernels, none, layout, step), cotangent, layout, grad_kernel,
                          step);
  }
  if (!grad_x.empty()) {
    detail::check_same_shape(kName, "grad_x", grad_x.shape, x.shape);
    step.execution = detail::progress_step(options.execution, steps - 1, steps);
    ImageGradient<T>(cotangent, kernels, layout, grad_x, step).run();
  }
}

template <class T>
void correlate_jvp(const View<const T>& x, const View<const T>& kernel, const View<const T>& x_dot,
                   const View<const T>& kernel_dot, const View<T>& out_dot,
                   const CorrelateOptions& options) {
  constexpr const char* kName = "correlate_jvp";
  const Layout layout = lay_out(kName, x.shape, kernel.shape, options);
  detail::check_same_shape(kName, "output", out_dot.shape, layout.out);
  if (x_dot.empty() && kernel_dot.empty()) return copy<T>(Image<T>(layout.out), out_dot);
  CorrelateOptions step = options;
  const std::size_t steps = x_dot.empty() || kernel_dot.empty() ? 1 : 2;
  step.execution = detail::progress_step(options.execution, 0, steps);
  if (!x_dot.empty()) {
    detail::check_same_shape(kName, "x_dot", x_dot.shape, x.shape);
    run(kName, x_dot, "x_dot", kernel, "kernel", out_dot, linear_part(step));
    if (kernel_dot.empty()) return;
  }
  detail::check_same_shape(kName, "kernel_dot", kernel_dot.shape, kernel.shape);
  if (x_dot.empty()) {
    run(kName, x, "image", kernel_dot, "kernel_dot", out_dot, options);
    return;
  }
  Image<T> other(layout.out);
  step.execution = detail::progress_step(options.execution, 1, steps);
  run<T>(kName, x, "image", kernel_dot, "kernel_dot", other, step);
  const View<const T> more = other;
  for (Index n = 0; n < more.batch(); ++n) {
    for (Index c = 0; c < more.channels(); ++c) {
      for (Index y = 0; y < more.height(); ++y) {
        for (Index i = 0; i < more.width(); ++i) out_dot.at(n, c, y, i) += more.at(n, c, y, i);
      }
    }
  }
}

template <class T>
CorrelatePlan plan_correlate(const Shape& x, const View<const T>& kernel,
                             const CorrelateOptions& options) {
  const Layout layout = lay_out("plan_correlate", x, kernel.shape, options);
  const Kernels<T> kernels = pack_kernels(kernel, layout, options.flip);
  check_kernel("plan_correlate", "kernel", kernels.packed);
  const View<const T> image(nullptr, x);
  const View<T> out(nullptr, layout.out);
  return detail::choose_method(make_job(image, kernels, out, layout, options), options.method);
}

#define BLURFIELD_INSTANTIATE(T)                                                                \
  template CorrelatePlan correlate(const View<const T>&, const View<const T>&, const View<T>&,  \
                                   const CorrelateOptions&);                                    \
  template void correlate_vjp(const View<const T>&, const View<const T>&, const View<const T>&, \
                              const View<T>&, const View<T>&, const CorrelateOptions&);         \
  template void correlate_jvp(const View<const T>&, const View<const T>&, const View<const T>&, \
                              const View<const T>&, const View<T>&, const CorrelateOptions&);   \
  template CorrelatePlan plan_correlate(const Shape&, const View<const T>&, const CorrelateOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
