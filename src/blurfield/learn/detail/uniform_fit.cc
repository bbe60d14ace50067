// SPDX-License-Identifier: BSD-3-Clause
// One sigma for all pixels.
#include <cmath>

#include "blurfield/learn/detail/blur_fit.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::detail {
namespace {

template <class T>
class UniformFit final : public BlurFit<T> {
  using Base = BlurFit<T>;
  using Base::options;
  using Base::x;

 public:
  UniformFit(const View<const T>& sharp, const EstimateOptions& given)
      : Base(sharp, given, {}, 1) {}

  void predict(std::span<const T> s, const View<T>& out) const override {
    const double sigma = sigma_of(s[0], options());
    uniform_blur<T>(x(), {&sigma, 1}, out, options().blur);
  }

  void pull(std::span<const T> s, const View<const T>& cotangent,
            std::span<T> gradient) const override {
    const double sigma = sigma_of(s[0], options());
    double slope = 0.0;
    uniform_blur_vjp<T>(x(), {&sigma, 1}, cotangent, {}, {&slope, 1}, options().blur);
    gradient[0] = static_cast<T>(slope * sigma_slope(s[0], options()));
  }

  void push(std::span<const T> s, std::span<const T> s_dot, const View<T>& out_dot) const override {
    const double sigma = sigma_of(s[0], options());
    const double sigma_dot = sigma_slope(s[0], options()) * static_cast<double>(s_dot[0]);
    uniform_blur_jvp<T>(x(), {&sigma, 1}, {}, {&sigma_dot, 1}, out_dot, options().blur);
  }

  void set_uniform(double sigma, std::span<T> s) const override {
    s[0] = static_cast<T>(parameter_of(sigma, options()));
  }

  void set_field(const View<const T>& field, std::span<T> s) const override {
    set_uniform(static_cast<double>(field.data[0]), s);
  }

  Image<T> field(std::span<const T> s) const override {
    Shape one = x().shape;
    for (int axis = 0; axis < one.rank(); ++axis) one[axis] = 1;
    Image<T> result(one);
    result.data()[0] = static_cast<T>(sigma_of(s[0], options()));
    return result;
  }

  void bounds(double max_sigma, std::span<T> lower, std::span<T> upper) const override {
    set_uniform(kMinSigma, lower);
    set_uniform(max_sigma, upper);
  }
};

}  // namespace

template <class T>
std::unique_ptr<BlurFit<T>> make_uniform_fit(const View<const T>& x,
                                             const EstimateOptions& options) {
  return std::make_unique<UniformFit<T>>(x, options);
}

template std::unique_ptr<BlurFit<float>> make_uniform_fit(const View<const float>&,
                                                          const EstimateOptions&);
template std::unique_ptr<BlurFit<double>> make_uniform_fit(const View<const double>&,
                                                           const EstimateOptions&);

}  // namespace blurfield::detail
