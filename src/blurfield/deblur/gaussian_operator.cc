// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/gaussian_operator.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "blurfield/deblur/detail/convolution_operator.h"
#include "blurfield/deblur/detail/extended_plane.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/ops/gaussian_kernel.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield {
namespace {

constexpr double kReach = 39.0;                // sigmas beyond which no weight is left in double
constexpr Index kLargestPsf = Index{1} << 22;  // pixels

// Sigmas after which kernels end, or after which what they hold is within the tolerance.
double reach_of(const BlurOptions& options) {
  if (options.truncate) return *options.truncate;
  if (options.tolerance == 0) return kDefaultTruncate;
  double low = 0.0;
  double high = kReach;
  for (int i = 0; i < 60; ++i) {
    const double t = 0.5 * (low + high);
    // Of the weight, each axis leaves erfc(t / sqrt 2) outside; the rest is scaled up by as much.
    (4.0 * std::erfc(t / std::numbers::sqrt2) > options.tolerance ? low : high) = t;
  }
  return high;
}

// Multiply-adds, or as many as take the time that the plan expects.
double work_of(double exact, const BlurReport& plan) {
  return plan.exact_seconds > 0 ? exact * std::min(1.0, plan.seconds / plan.exact_seconds) : exact;
}

// The radii of a Gaussian of widths (sigma_y, sigma_x), `least` at least; `reach` is reach_of.
std::array<Index, 2> radii(const std::array<double, 2>& sigma, const BlurOptions& options,
                           double reach, Index least) {
  std::array<Index, 2> radius{};
  for (std::size_t i = 0; i < 2; ++i) {
    if (options.radius.empty()) {
      radius[i] = std::max<Index>(least, gaussian_radius(sigma[i], reach));
    } else {
      const double given = options.radius[options.radius.size() == 1 ? 0 : i];
      radius[i] = static_cast<Index>(std::min(given, std::ceil(kReach * sigma[i])));
    }
  }
  return radius;
}

// What border.extend adds on each side. A scene many times as large as the frame would be all
// guesses.
std::array<Index, 2> margin_of(const Shape& frame, const std::array<Index, 2>& radius,
                               const Border& border) {
  if (!border.extend) return {0, 0};
  const Index longer = std::max(frame[2], frame[3]);
  require(std::max(radius[0], radius[1]) <= longer, "blur", "expected a blur of radius at most ",
          longer, ", the image's longer side, got ", std::max(radius[0], radius[1]));
  return radius;
}

// The frame within a scene of zeros; empty where the scene is no larger.
template <class T>
Image<T> zeros_around(const BlurOperator<T>& blur, const View<const T>& frame,
                      const Execution& execution) {
  if (!blur.border().extend) return {};
  return detail::extended_plane(frame, blur.margin(), Mode::constant, execution.threads);
}

// f(in, out) from scene to frame, where it gives whole scenes.
template <class T, class F>
void cropped(const BlurOperator<T>& blur, const View<const T>& scene, const View<T>& frame,
             const F& f) {
  if (scene.shape == frame.shape) return f(scene, frame);
  Image<T> whole = Image<T>::uninitialised(scene.shape);
  f(scene, whole.view());
  copy<T>(blur.visible(std::as_const(whole).view()), frame);
}

// One sigma, or (sigma_y, sigma_x): a pass along each axis.
template <class T>
class GaussianOperator final : public BlurOperator<T> {
 public:
  GaussianOperator(const Shape& frame, std::array<double, 2> sigma,
                   const std::array<Index, 2>& radius, const Border& border, BlurOptions options)
      : BlurOperator<T>(frame, margin_of(frame, radius, border), border),
        sigma_(sigma),
        options_(std::move(options)) {
    options_.extension = {border.extend ? Mode::constant : border.mode, 0.0};
    taps_ = work_of(uniform_blur_taps(this->scene(), sigma_, options_),
                    uniform_blur_plan<T>(this->scene(), sigma_, options_));
    const Shape shape{2 * radius[0] + 1, 2 * radius[1] + 1};
    if (shape.elements() > kLargestPsf) return;
    psf_ = Image<double>(shape);
    const std::vector<double> column = weights(sigma[0], radius[0]);
    const std::vector<double> row = weights(sigma[1], radius[1]);
    double* to = psf_.data();
    for (double v : column) {
      for (double h : row) *to++ = v * h;
    }
  }

  void forward(const View<const T>& scene, const View<T>& frame,
               const Execution& execution) const override {
    this->check("blur", scene.shape, frame.shape);
    cropped<T>(*this, scene, frame, [&](const View<const T>& from, const View<T>& to) {
      uniform_blur<T>(from, sigma_, to, with(execution));
    });
  }

  void adjoint(const View<const T>& frame, const View<T>& scene,
               const Execution& execution) const override {
    this->check("blur", scene.shape, frame.shape);
    const Image<T> padded = zeros_around(*this, frame, execution);
    const View<const T> from = padded.empty() ? frame : padded.view();
    const Mode mode = options_.extension.mode;
    // Since the kernel is its own mirror image, these are their own transposes; not so what is
    // computed to a tolerance.
    if (options_.tolerance == 0 &&
        (mode == Mode::constant || mode == Mode::wrap || mode == Mode::reflect)) {
      uniform_blur<T>(from, sigma_, scene, with(execution));
    } else {
      uniform_blur_vjp<T>(from, sigma_, from, scene, {}, with(execution));
    }
  }

  double multiply_adds() const override { return taps_; }
  const Image<double>* psf() const override { return psf_.empty() ? nullptr : &psf_; }

 private:
  static std::vector<double> weights(double sigma, Index radius) {
    if (sigma == 0) return {1.0};
    return gaussian_kernel1d(sigma, static_cast<int>(radius));
  }
  BlurOptions with(const Execution& execution) const {
    BlurOptions options = options_;
    options.execution = execution;
    return options;
  }

  std::array<double, 2> sigma_;
  Image<double> psf_;
  BlurOptions options_;
  double taps_ = 0.0;
};

// The field on the scene. Beyond the frame it goes on as at its nearest pixel; a gather needs no
// kernel there, and gets one that costs next to nothing.
template <class T>
Image<T> field_on_scene(const View<const T>& field, const std::array<Index, 2>& margin,
                        bool scatter) {
  const T narrow = field.channels() == 3 ? static_cast<T>(std::log(0.1)) : static_cast<T>(0.1);
  Image<T> whole({field.batch(), field.channels(), field.height() + 2 * margin[0],
                  field.width() + 2 * margin[1]});
  const View<T> to = whole;
  for (Index n = 0; n < to.batch(); ++n) {
    for (Index c = 0; c < to.channels(); ++c) {
      const T beyond = to.channels() == 3 && c == 1 ? T{0} : narrow;
      for (Index y = 0; y < to.height(); ++y) {
        const Index from_y = extend(y - margin[0], field.height(), Mode::nearest);
        for (Index x = 0; x < to.width(); ++x) {
          const Index from_x = extend(x - margin[1], field.width(), Mode::nearest);
          const bool inside = from_y == y - margin[0] && from_x == x - margin[1];
          to.at(n, c, y, x) = scatter || inside ? field.at(n, c, from_y, from_x) : beyond;
        }
      }
    }
  }
  return whole;
}

// The largest radii of a field that has been checked.
template <class T>
std::array<Index, 2> field_radii(const View<const T>& field, const BlurOptions& options) {
  std::array<Index, 2> most{};
  const double reach = reach_of(options);
  const auto at = [&](Index n, Index c, Index y, Index x) {
    return static_cast<double>(field.at(n, std::min(c, field.channels() - 1), y, x));
  };
  for (Index n = 0; n < field.batch(); ++n) {
    for (Index y = 0; y < field.height(); ++y) {
      for (Index x = 0; x < field.width(); ++x) {
        const std::array<double, 3> p{at(n, 0, y, x), at(n, 1, y, x), at(n, 2, y, x)};
        const auto sigma = field.channels() == 3 ? logchol_to_sigma(p) : std::array{p[0], p[1]};
        const auto radius = radii(sigma, options, reach, 1);
        for (std::size_t i = 0; i < 2; ++i) most[i] = std::max(most[i], radius[i]);
      }
    }
  }
  return most;
}

template <class T>
class AdaptiveOperator final : public BlurOperator<T> {
 public:
  // `field` and options have been checked.
  AdaptiveOperator(const Shape& frame, const View<const T>& field, const Border& border,
                   const AdaptiveBlurOptions& options)
      : BlurOperator<T>(frame, margin_of(frame, field_radii(field, options), border), border),
        field_(field_on_scene(field, this->margin(), options.scatter)),
        options_(options) {
    options_.extension = {border.extend ? Mode::constant : border.mode, 0.0};
    taps_ = work_of(adaptive_blur_taps<T>(this->scene(), field_, options_),
                    adaptive_blur_plan<T>(this->scene(), field_, options_));
  }

  void forward(const View<const T>& scene, const View<T>& frame,
               const Execution& execution) const override {
    this->check("blur", scene.shape, frame.shape);
    cropped<T>(*this, scene, frame, [&](const View<const T>& from, const View<T>& to) {
      adaptive_blur<T>(from, field_, to, with(execution));
    });
  }

  void adjoint(const View<const T>& frame, const View<T>& scene,
               const Execution& execution) const override {
    this->check("blur", scene.shape, frame.shape);
    const Image<T> padded = zeros_around(*this, frame, execution);
    const View<const T> from = padded.empty() ? frame : padded.view();
    // The blur is linear: its gradient by the image does not depend on the image.
    adaptive_blur_vjp<T>(from, field_, from, scene, {}, with(execution));
  }

  double multiply_adds() const override { return taps_; }

 private:
  AdaptiveBlurOptions with(const Execution& execution) const {
    AdaptiveBlurOptions options = options_;
    options.execution = execution;
    return options;
  }

  Image<T> field_;
  AdaptiveBlurOptions options_;
  double taps_ = 0.0;
};

}  // namespace

template <class T>
std::unique_ptr<BlurOperator<T>> gaussian_operator(const Shape& frame,
                                                   std::span<const double> gaussian,
                                                   const Border& border,
                                                   const BlurOptions& options) {
  require(frame.rank() == 4, "blur", "expected a frame (N, C, H, W), got shape ", frame.text());
  uniform_blur_taps(frame, gaussian, options);  // checks all of these
  if (gaussian.size() < 3) {
    const std::array<double, 2> sigma{gaussian.front(), gaussian.back()};
    return std::make_unique<GaussianOperator<T>>(
        frame, sigma, radii(sigma, options, reach_of(options), 0), border, options);
  }
  // Its sum of separable terms would cost several times what convolution does.
  const Logchol logchol{gaussian[0], gaussian[1], gaussian[2]};
  const auto radius = radii(logchol_to_sigma(logchol), options, reach_of(options), 1);
  margin_of(frame, radius, border);
  const Kernel2d kernel = gaussian_kernel2d_logchol(
      logchol, {static_cast<int>(radius[0]), static_cast<int>(radius[1])});
  const Shape shape{2 * radius[0] + 1, 2 * radius[1] + 1};
  return detail::convolution_operator<T>(
      frame, Image<double>(View<const double>(kernel.taps.data(), shape)), border);
}

template <class T>
std::unique_ptr<BlurOperator<T>> adaptive_operator(const Shape& frame, const View<const T>& field,
                                                   const Border& border,
                                                   const AdaptiveBlurOptions& options) {
  adaptive_blur_taps<T>(frame, field, options);  // checks all of these
  return std::make_unique<AdaptiveOperator<T>>(frame, field, border, options);
}

#define BLURFIELD_INSTANTIATE(T)                                                 \
  template std::unique_ptr<BlurOperator<T>> gaussian_operator(                   \
      const Shape&, std::span<const double>, const Border&, const BlurOptions&); \
  template std::unique_ptr<BlurOperator<T>> adaptive_operator(                   \
      const Shape&, const View<const T>&, const Border&, const AdaptiveBlurOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
