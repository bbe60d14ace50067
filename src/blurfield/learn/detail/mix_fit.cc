// SPDX-License-Identifier: BSD-3-Clause
// Mixing weights, as logits, and the logarithms of the two sigmas if they are learned.
#include <algorithm>
#include <cmath>

#include "blurfield/learn/detail/blur_fit.h"

namespace blurfield::detail {
namespace {

// Logits beyond this are 0 or 1 to float's rounding, and would not come back.
constexpr double kMaxLogit = 12.0;

double sigmoid(double s) { return 1.0 / (1.0 + std::exp(-s)); }

Shape local_shape(const Shape& image, const EstimateOptions& options) {
  if (options.scalar_weight) return {};
  Shape shape = image;
  if (options.shared) shape[0] = 1;
  shape[1] = 1;
  return shape;
}

template <class T>
class MixFit final : public BlurFit<T> {
  using Base = BlurFit<T>;
  using Base::options;
  using Base::x;

 public:
  MixFit(const View<const T>& sharp, const EstimateOptions& given)
      : Base(sharp, given, local_shape(sharp.shape, given),
             (given.scalar_weight ? 1 : 0) + (given.learn_sigmas ? 2 : 0)) {}

  void predict(std::span<const T> s, const View<T>& out) const override {
    mix<T>(x(), sigmas(s), field(s), out, options().blur);
  }

  void pull(std::span<const T> s, const View<const T>& cotangent,
            std::span<T> gradient) const override {
    const Image<T> weight = field(s);
    const MixSigmas own = sigmas(s);
    MixSigmas slopes{};
    const View<T> grad(gradient.data(), weight.shape());
    mix_vjp<T>(x(), own, weight, cotangent, {}, options().learn_sigmas ? &slopes : nullptr, grad,
               options().blur);
    each([&](Index i) { gradient[at(i)] *= slope(weight.data()[i]); });
    if (!options().learn_sigmas) return;
    for (std::size_t i = 0; i < 2; ++i) {
      gradient[at(weights()) + i] = static_cast<T>(slopes[i] * own[i]);
    }
  }

  void push(std::span<const T> s, std::span<const T> s_dot, const View<T>& out_dot) const override {
    const Image<T> weight = field(s);
    const MixSigmas own = sigmas(s);
    Image<T> dot(weight.shape());
    each([&](Index i) { dot.data()[i] = s_dot[at(i)] * slope(weight.data()[i]); });
    MixSigmas sigmas_dot{};
    for (std::size_t i = 0; options().learn_sigmas && i < 2; ++i) {
      sigmas_dot[i] = own[i] * static_cast<double>(s_dot[at(weights()) + i]);
    }
    mix_jvp<T>(x(), own, weight, {}, sigmas_dot, dot, out_dot, options().blur);
  }

  void set_uniform(double, std::span<T> s) const override {
    each([&](Index i) { s[at(i)] = T{0}; });
    set_sigmas(s);
  }

  void set_field(const View<const T>& field, std::span<T> s) const override {
    copy<T>(field, View<T>(s.data(), weight_shape()));
    const double most = sigmoid(kMaxLogit);
    each([&](Index i) {
      const double m = std::clamp(static_cast<double>(s[at(i)]), 1.0 - most, most);
      s[at(i)] = static_cast<T>(std::log(m / (1.0 - m)));
    });
    set_sigmas(s);
  }

  Image<T> field(std::span<const T> s) const override {
    Image<T> weight(weight_shape());
    each([&](Index i) { weight.data()[i] = static_cast<T>(sigmoid(s[at(i)])); });
    return weight;
  }

  MixSigmas sigmas(std::span<const T> s) const override {
    if (!options().learn_sigmas) return options().sigmas;
    return {std::exp(static_cast<double>(s[at(weights())])),
            std::exp(static_cast<double>(s[at(weights()) + 1]))};
  }

  void bounds(double max_sigma, std::span<T> lower, std::span<T> upper) const override {
    each([&](Index i) {
      lower[at(i)] = static_cast<T>(-kMaxLogit);
      upper[at(i)] = static_cast<T>(kMaxLogit);
    });
    for (Index i = weights(); i < this->size(); ++i) {
      lower[at(i)] = static_cast<T>(std::log(kMinSigma));
      upper[at(i)] = static_cast<T>(std::log(max_sigma));
    }
  }

 private:
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  static T slope(T m) { return m * (1 - m); }

  Shape weight_shape() const {
    Shape shape = options().scalar_weight ? x().shape : this->local();
    if (options().scalar_weight) {
      for (int axis = 0; axis < shape.rank(); ++axis) shape[axis] = 1;
    }
    return shape;
  }
  Index weights() const { return weight_shape().elements(); }

  void set_sigmas(std::span<T> s) const {
    for (std::size_t i = 0; options().learn_sigmas && i < 2; ++i) {
      s[at(weights()) + i] = static_cast<T>(std::log(options().sigmas[i]));
    }
  }

  template <class F>
  void each(const F& f) const {
    parallel_slices(weights(), options().blur.execution.threads, [&](Index i, Index end) {
      for (; i < end; ++i) f(i);
    });
  }
};

}  // namespace

template <class T>
std::unique_ptr<BlurFit<T>> make_mix_fit(const View<const T>& x, const EstimateOptions& options) {
  return std::make_unique<MixFit<T>>(x, options);
}

template std::unique_ptr<BlurFit<float>> make_mix_fit(const View<const float>&,
                                                      const EstimateOptions&);
template std::unique_ptr<BlurFit<double>> make_mix_fit(const View<const double>&,
                                                       const EstimateOptions&);

}  // namespace blurfield::detail
