// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/mix.h"

#include <algorithm>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/progress_step.h"
#include "blurfield/ops/detail/uniform/operator.h"

namespace blurfield {
namespace {

using detail::progress_step;
using detail::UniformOperator;
using detail::UniformPart;

// A weight (or its gradient) as a view of the image's shape, with stride 0 where it broadcasts.
template <class T>
View<T> broadcast(const char* operation, View<T> weight, const Shape& image) {
  bool fits = weight.rank() == image.rank() && weight.data != nullptr;
  for (int axis = 0; fits && axis < image.rank(); ++axis) {
    fits = weight.shape[axis] == 1 || (axis != 1 && weight.shape[axis] == image[axis]);
    if (weight.shape[axis] == 1) weight.stride[axis] = 0;
  }
  require(fits, operation, "expected a weight that broadcasts to ", image.text(),
          " with 1 channel, got ", weight.shape.text());
  weight.shape = image;
  return weight;
}

// f(n, c, y, x) for all pixels, rows in parallel.
template <class F>
void for_each_pixel(const Shape& shape, const Execution& whole, const F& f) {
  const Index height = shape.rank() == 4 ? shape[2] : 1;
  const Index width = shape[shape.rank() - 1];
  Execution execution;  // quick beside the blurs: without progress
  execution.threads = whole.threads;
  parallel_for(shape[0] * shape[1] * height, execution, [&](Index row) {
    const Index plane = row / height;
    for (Index x = 0; x < width; ++x) f(plane / shape[1], plane % shape[1], row % height, x);
  });
}

// The options of blur i: radii are given per blur, not per axis.
BlurOptions options_of(const char* operation, const BlurOptions& options, std::size_t i) {
  const auto count = options.radius.size();
  require(count <= 2, operation, "expected no radius, one, or one per blur (2), got ", count);
  BlurOptions own = options;
  if (count > 0) own.radius = {options.radius[count == 1 ? 0 : i]};
  return own;
}

// The checked inputs of a mix.
template <class T>
struct Mix {
  Mix(const char* operation, const View<const T>& image, const MixSigmas& sigmas,
      const View<const T>& weight, const BlurOptions& blur_options)
      : x(image),
        m(broadcast(operation, weight, image.shape)),
        options(blur_options),
        blurs{UniformOperator<T>(operation, image.shape, {sigmas.data(), 1},
                                 options_of(operation, blur_options, 0)),
              UniformOperator<T>(operation, image.shape, {&sigmas[1], 1},
                                 options_of(operation, blur_options, 1))} {
    detail::check_image(operation, image);
    detail::check_finite(operation, "weight", weight);
  }

  // out = part of a blur (from), or +=, as step i of `steps`.
  void run(std::size_t blur, const UniformPart& part, const View<const T>& from, bool add,
           const View<T>& out, std::size_t i, std::size_t steps) const {
    blurs[blur].apply(part, from, add, out, progress_step(options.execution, i, steps));
  }
  // blur(x, sigma_min) - blur(x, sigma_max)
  Image<T> difference(std::size_t i, std::size_t steps) const {
    Image<T> result(x.shape);
    run(0, {}, x, false, result, i, steps);
    run(1, {UniformPart::blur, 0, -1.0}, x, true, result, i + 1, steps);
    return result;
  }
  // m cotangent for blur 0, (1 - m) cotangent for blur 1.
  Image<T> share(const View<const T>& cotangent, std::size_t blur) const {
    Image<T> result(x.shape);
    const View<T> to = result;
    for_each_pixel(x.shape, options.execution, [&](Index n, Index c, Index y, Index col) {
      const T weight = m.at(n, c, y, col);
      to.at(n, c, y, col) = (blur == 0 ? weight : 1 - weight) * cotangent.at(n, c, y, col);
    });
    return result;
  }
  // out += weight image
  void add_weighted(const View<const T>& weight, const View<const T>& image,
                    const View<T>& out) const {
    for_each_pixel(x.shape, options.execution, [&](Index n, Index c, Index y, Index col) {
      out.at(n, c, y, col) += weight.at(n, c, y, col) * image.at(n, c, y, col);
    });
  }

  View<const T> x;
  View<const T> m;
  const BlurOptions& options;
  std::array<UniformOperator<T>, 2> blurs;
};

// grad(weight's pixel) = sum of a b over all pixels that share it.
template <class T>
void reduce_product(const View<const T>& a, const View<const T>& b, const View<T>& grad) {
  Image<double> sums(grad.shape);
  const View<double> to = broadcast("mix_vjp", sums.view(), a.shape);
  for (Index n = 0; n < a.batch(); ++n) {
    for (Index c = 0; c < a.channels(); ++c) {
      for (Index y = 0; y < a.height(); ++y) {
        for (Index x = 0; x < a.width(); ++x) {
          to.at(n, 0, y, x) +=
              static_cast<double>(a.at(n, c, y, x)) * static_cast<double>(b.at(n, c, y, x));
        }
      }
    }
  }
  Image<T> rounded(grad.shape);
  std::transform(sums.data(), sums.data() + sums.elements(), rounded.data(),
                 [](double v) { return static_cast<T>(v); });
  copy<T>(rounded, grad);
}

}  // namespace

template <class T>
void mix(const View<const T>& x, const MixSigmas& sigmas, const View<const T>& weight,
         const View<T>& out, const BlurOptions& options) {
  detail::check_shape("mix", "image", x.shape, x.data);
  const Mix<T> parts("mix", x, sigmas, weight, options);
  detail::check_same_shape("mix", "output", out.shape, x.shape);
  const Image<T> difference = parts.difference(0, 3);
  parts.run(1, {}, x, false, out, 2, 3);
  parts.add_weighted(parts.m, difference, out);  // (B3)
}

template <class T>
void mix_vjp(const View<const T>& x, const MixSigmas& sigmas, const View<const T>& weight,
             const View<const T>& cotangent, const View<T>& grad_x, MixSigmas* grad_sigmas,
             const View<T>& grad_weight, const BlurOptions& options) {
  constexpr const char* kName = "mix_vjp";
  detail::check_shape(kName, "image", x.shape, x.data);
  const Mix<T> parts(kName, x, sigmas, weight, options);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, x.shape);
  detail::check_image(kName, cotangent, "cotangent");
  const std::size_t steps =
      (grad_x.empty() ? 0 : 2) + (grad_sigmas ? 2 : 0) + (grad_weight.empty() ? 0 : 2);
  std::size_t done = 0;
  if (!grad_x.empty()) detail::check_same_shape(kName, "grad_x", grad_x.shape, x.shape);
  for (std::size_t i = 0; i < 2 && (grad_sigmas || !grad_x.empty()); ++i) {
    const Image<T> share = parts.share(cotangent, i);
    if (!grad_x.empty()) {
      parts.run(i, {UniformPart::transpose}, share, i > 0, grad_x, done++, steps);
    }
    if (!grad_sigmas) continue;
    (*grad_sigmas)[i] = parts.blurs[i].dot({UniformPart::slope}, share, x,
                                           progress_step(options.execution, done++, steps));
  }
  if (grad_weight.empty()) return;
  detail::check_same_shape(kName, "grad_weight", grad_weight.shape, weight.shape);
  const Image<T> difference = parts.difference(done, steps);
  reduce_product<T>(difference, cotangent, grad_weight);
}

template <class T>
void mix_jvp(const View<const T>& x, const MixSigmas& sigmas, const View<const T>& weight,
             const View<const T>& x_dot, const MixSigmas& sigmas_dot,
             const View<const T>& weight_dot, const View<T>& out_dot, const BlurOptions& options) {
  constexpr const char* kName = "mix_jvp";
  detail::check_shape(kName, "image", x.shape, x.data);
  const Mix<T> parts(kName, x, sigmas, weight, options);
  detail::check_same_shape(kName, "output", out_dot.shape, x.shape);
  if (!x_dot.empty()) {
    detail::check_same_shape(kName, "x_dot", x_dot.shape, x.shape);
    detail::check_image(kName, x_dot, "x_dot");
  }
  const std::size_t steps = 3 + (x_dot.empty() ? 0 : 3) + (weight_dot.empty() ? 0 : 2);
  std::size_t done = 0;
  // The two blurs' own derivatives P and Q give Q + m (P - Q).
  auto derivative = [&](std::size_t i, double factor, bool add, const View<T>& to) {
    parts.run(i, {UniformPart::slope, 0, factor * sigmas_dot[i]}, x, add, to, done++, steps);
    if (x_dot.empty()) return;
    parts.run(i, {UniformPart::linear, 0, factor}, x_dot, true, to, done++, steps);
  };
  Image<T> difference(x.shape);
  derivative(0, 1.0, false, difference);
  derivative(1, -1.0, true, difference);
  derivative(1, 1.0, false, out_dot);
  parts.add_weighted(parts.m, difference, out_dot);
  if (weight_dot.empty()) return;
  detail::check_finite(kName, "weight_dot", weight_dot);
  difference = parts.difference(done, steps);
  parts.add_weighted(broadcast(kName, weight_dot, x.shape), difference, out_dot);
}

#define BLURFIELD_INSTANTIATE(T)                                                                  \
  template void mix(const View<const T>&, const MixSigmas&, const View<const T>&, const View<T>&, \
                    const BlurOptions&);                                                          \
  template void mix_vjp(const View<const T>&, const MixSigmas&, const View<const T>&,             \
                        const View<const T>&, const View<T>&, MixSigmas*, const View<T>&,         \
                        const BlurOptions&);                                                      \
  template void mix_jvp(const View<const T>&, const MixSigmas&, const View<const T>&,             \
                        const View<const T>&, const MixSigmas&, const View<const T>&,             \
                        const View<T>&, const BlurOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
