// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/blur.h"

#include <algorithm>

#include "blurfield/autodiff/operation.h"
#include "blurfield/ops/mix.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield {
namespace {

// A handful of parameters, as ops/ takes them.
template <class T>
std::array<double, 3> numbers(const View<const T>& view) {
  std::array<double, 3> all{};
  if (view.empty()) return all;
  const Image<T> plain(view);
  std::copy_n(plain.data(), plain.elements(), all.begin());
  return all;
}
template <class T>
void write_numbers(const double* from, const View<T>& to) {
  std::transform(from, from + to.shape.elements(), to.data,
                 [](double v) { return static_cast<T>(v); });
}

template <class T>
struct AdaptiveBlur {
  static constexpr const char* kName = "adaptive_blur";
  static constexpr std::array<const char*, 2> kInputs{"image", "field"};
  AdaptiveBlurOptions options;

  Shape shape(const Inputs<T, 2>& in) const { return in[0].shape; }
  void forward(const Inputs<T, 2>& in, const View<T>& out) const {
    adaptive_blur<T>(in[0], in[1], out, options);
  }
  void vjp(const Inputs<T, 2>& in, const View<const T>& cotangent,
           const Outputs<T, 2>& grad) const {
    adaptive_blur_vjp<T>(in[0], in[1], cotangent, grad[0], grad[1], options);
  }
  void jvp(const Inputs<T, 2>& in, const Inputs<T, 2>& dot, const View<T>& out_dot) const {
    adaptive_blur_jvp<T>(in[0], in[1], dot[0], dot[1], out_dot, options);
  }
  Dependence dependence(std::size_t i) const {
    return i == 0 ? on_image(options.extension) : Dependence::nonlinear;
  }
};

template <class T>
struct UniformBlur {
  static constexpr const char* kName = "uniform_blur";
  static constexpr std::array<const char*, 2> kInputs{"image", "Gaussian"};
  BlurOptions options;

  Shape shape(const Inputs<T, 2>& in) const { return in[0].shape; }
  void forward(const Inputs<T, 2>& in, const View<T>& out) const {
    const auto gaussian = numbers(in[1]);
    uniform_blur<T>(in[0], {gaussian.data(), count(in)}, out, options);
  }
  void vjp(const Inputs<T, 2>& in, const View<const T>& cotangent,
           const Outputs<T, 2>& grad) const {
    const auto gaussian = numbers(in[1]);
    std::array<double, 3> by_gaussian{};
    const std::span<double> wanted(by_gaussian.data(), grad[1].empty() ? 0 : count(in));
    uniform_blur_vjp<T>(in[0], {gaussian.data(), count(in)}, cotangent, grad[0], wanted, options);
    if (!grad[1].empty()) write_numbers(by_gaussian.data(), grad[1]);
  }
  void jvp(const Inputs<T, 2>& in, const Inputs<T, 2>& dot, const View<T>& out_dot) const {
    const auto gaussian = numbers(in[1]);
    const auto along = numbers(dot[1]);
    const std::span<const double> given(along.data(), dot[1].empty() ? 0 : count(in));
    uniform_blur_jvp<T>(in[0], {gaussian.data(), count(in)}, dot[0], given, out_dot, options);
  }
  Dependence dependence(std::size_t i) const {
    return i == 0 ? on_image(options.extension) : Dependence::nonlinear;
  }

 private:
  static std::size_t count(const Inputs<T, 2>& in) {
    return static_cast<std::size_t>(in[1].shape.elements());
  }
};

template <class T>
struct Mix {
  static constexpr const char* kName = "mix";
  static constexpr std::array<const char*, 3> kInputs{"image", "sigmas", "weight"};
  BlurOptions options;

  Shape shape(const Inputs<T, 3>& in) const { return in[0].shape; }
  void forward(const Inputs<T, 3>& in, const View<T>& out) const {
    mix<T>(in[0], sigmas(in[1]), in[2], out, options);
  }
  void vjp(const Inputs<T, 3>& in, const View<const T>& cotangent,
           const Outputs<T, 3>& grad) const {
    MixSigmas by_sigmas{};
    mix_vjp<T>(in[0], sigmas(in[1]), in[2], cotangent, grad[0],
               grad[1].empty() ? nullptr : &by_sigmas, grad[2], options);
    if (!grad[1].empty()) write_numbers(by_sigmas.data(), grad[1]);
  }
  void jvp(const Inputs<T, 3>& in, const Inputs<T, 3>& dot, const View<T>& out_dot) const {
    mix_jvp<T>(in[0], sigmas(in[1]), in[2], dot[0], sigmas(dot[1]), dot[2], out_dot, options);
  }
  Dependence dependence(std::size_t i) const {
    if (i == 2) return Dependence::affine;
    return i == 0 ? on_image(options.extension) : Dependence::nonlinear;
  }

 private:
  static MixSigmas sigmas(const View<const T>& view) {
    const auto all = numbers(view);
    return {all[0], all[1]};
  }
};

template <class T>
void require_elements(const char* operation, const char* name, const Var<T>& a, Index least,
                      Index most) {
  const Index count = a.shape().elements();
  require(count >= least && count <= most, operation, "expected ", name, " of ", least,
          most > least ? message(" to ", most) : "", " elements, got shape ", a.shape().text());
}

}  // namespace

template <class T>
Var<T> adaptive_blur(const Var<T>& x, const Var<T>& field, const AdaptiveBlurOptions& options) {
  return apply_operation(AdaptiveBlur<T>{options}, std::array{x, field});
}

template <class T>
Var<T> uniform_blur(const Var<T>& x, const std::type_identity_t<Var<T>>& gaussian,
                    const BlurOptions& options) {
  require_elements("uniform_blur", "a Gaussian", gaussian, 1, 3);
  return apply_operation(UniformBlur<T>{options}, std::array{x, gaussian});
}

template <class T>
Var<T> mix(const Var<T>& x, const Var<T>& sigmas, const Var<T>& weight,
           const BlurOptions& options) {
  require_elements("mix", "sigmas", sigmas, 2, 2);
  return apply_operation(Mix<T>{options}, std::array{x, sigmas, weight});
}

#define BLURFIELD_INSTANTIATE(T)                                                           \
  template Var<T> adaptive_blur(const Var<T>&, const Var<T>&, const AdaptiveBlurOptions&); \
  template Var<T> uniform_blur(const Var<T>&, const Var<T>&, const BlurOptions&);          \
  template Var<T> mix(const Var<T>&, const Var<T>&, const Var<T>&, const BlurOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);

}  // namespace blurfield
