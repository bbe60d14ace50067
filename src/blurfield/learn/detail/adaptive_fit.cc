// SPDX-License-Identifier: BSD-3-Clause
// Sigma, (sigma_y, sigma_x) and log-Cholesky fields.
#include <algorithm>
#include <cmath>

#include "blurfield/learn/detail/blur_fit.h"
#include "blurfield/ops/covariance.h"

namespace blurfield::detail {
namespace {

Shape local_shape(const Shape& image, const EstimateOptions& options) {
  Shape shape = image;
  if (options.shared) shape[0] = 1;
  shape[1] = options.model == BlurModel::logchol ? 3 : options.model == BlurModel::sigma_yx ? 2 : 1;
  return shape;
}

template <class T>
class AdaptiveFit final : public BlurFit<T> {
  using Base = BlurFit<T>;
  using Base::local;
  using Base::options;
  using Base::x;

 public:
  AdaptiveFit(const View<const T>& sharp, const EstimateOptions& given)
      : Base(sharp, given, local_shape(sharp.shape, given), 0) {}

  void predict(std::span<const T> s, const View<T>& out) const override {
    adaptive_blur<T>(x(), field(s), out, options().blur);
  }

  void pull(std::span<const T> s, const View<const T>& cotangent,
            std::span<T> gradient) const override {
    const View<T> grad(gradient.data(), local());
    adaptive_blur_vjp<T>(x(), field(s), cotangent, {}, grad, options().blur);
    if (!logs()) return;
    each([&](Index i) { gradient[at(i)] *= slope(s[at(i)]); });
  }

  void push(std::span<const T> s, std::span<const T> s_dot, const View<T>& out_dot) const override {
    Image<T> dot(local());
    each([&](Index i) { dot.data()[i] = s_dot[at(i)] * (logs() ? slope(s[at(i)]) : T{1}); });
    adaptive_blur_jvp<T>(x(), field(s), {}, dot, out_dot, options().blur);
  }

  void set_uniform(double sigma, std::span<T> s) const override {
    if (logs()) {
      std::ranges::fill(s, static_cast<T>(parameter_of(sigma, options())));
    } else {
      const Logchol theta = sigma_to_logchol(sigma, sigma);
      fill_channels(s, theta);
    }
  }

  void set_field(const View<const T>& field, std::span<T> s) const override {
    copy<T>(field, View<T>(s.data(), local()));
    if (!logs()) return;
    each([&](Index i) { s[at(i)] = static_cast<T>(parameter_of(s[at(i)], options())); });
  }

  Image<T> field(std::span<const T> s) const override {
    Image<T> result(local());
    each([&](Index i) {
      result.data()[i] = logs() ? static_cast<T>(sigma_of(s[at(i)], options())) : s[at(i)];
    });
    return result;
  }

  void bounds(double max_sigma, std::span<T> lower, std::span<T> upper) const override {
    if (logs()) {
      std::ranges::fill(lower, static_cast<T>(parameter_of(kMinSigma, options())));
      std::ranges::fill(upper, static_cast<T>(parameter_of(max_sigma, options())));
    } else {
      const double low = std::log(kMinSigma);
      const double high = std::log(max_sigma);
      fill_channels(lower, {low, -max_sigma, low});
      fill_channels(upper, {high, max_sigma, high});
    }
  }

 private:
  bool logs() const { return options().model != BlurModel::logchol; }
  T slope(T s) const { return static_cast<T>(sigma_slope(s, options())); }
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

  template <class F>
  void each(const F& f) const {
    parallel_slices(local().elements(), options().blur.execution.threads, [&](Index i, Index end) {
      for (; i < end; ++i) f(i);
    });
  }

  void fill_channels(std::span<T> s, const Logchol& values) const {
    const Index plane = local().elements() / (local()[0] * local()[1]);
    each([&](Index i) { s[at(i)] = static_cast<T>(values[at(i / plane % local()[1])]); });
  }
};

}  // namespace

template <class T>
std::unique_ptr<BlurFit<T>> make_adaptive_fit(const View<const T>& x,
                                              const EstimateOptions& options) {
  return std::make_unique<AdaptiveFit<T>>(x, options);
}

template std::unique_ptr<BlurFit<float>> make_adaptive_fit(const View<const float>&,
                                                           const EstimateOptions&);
template std::unique_ptr<BlurFit<double>> make_adaptive_fit(const View<const double>&,
                                                            const EstimateOptions&);

}  // namespace blurfield::detail
