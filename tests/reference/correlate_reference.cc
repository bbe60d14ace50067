// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/correlate_reference.h"

namespace blurfield::test {
namespace {

// visit(n, g, k, c, output y, output x, tap i, tap j, the pixel that the tap sees).
template <class T, class Visit>
void for_each_tap(const detail::Correlation<T>& job, const Shape& out, const Visit& visit) {
  const auto& [y_axis, x_axis] = std::pair(job.y_axis, job.x_axis);
  const auto pixel = [&](Index n, Index c, Index y, Index x) {
    const Index row = extend(y, job.x.height(), job.extension.mode);
    const Index column = extend(x, job.x.width(), job.extension.mode);
    return row < 0 || column < 0 ? job.extension.cval
                                 : static_cast<double>(job.x.at(n, c, row, column));
  };
  const Index height = out.rank() == 3 ? 1 : out[2];
  const Index width = out[out.rank() - 1];
  for (Index n = 0; n < out[0]; ++n) {
    for (Index channel = 0; channel < out[1]; ++channel) {
      const Index g = channel / job.outputs();
      const Index k = channel % job.outputs();
      for (Index c = 0; c < job.inputs(); ++c) {
        for (Index oy = 0; oy < height; ++oy) {
          for (Index ox = 0; ox < width; ++ox) {
            for (Index i = 0; i < y_axis.taps; ++i) {
              for (Index j = 0; j < x_axis.taps; ++j) {
                visit(n, g, k, c, oy, ox, i, j,
                      pixel(n, g * job.inputs() + c, y_axis.first(oy) + i * y_axis.dilation,
                            x_axis.first(ox) + j * x_axis.dilation));
              }
            }
          }
        }
      }
    }
  }
}

template <class T>
T& entry(const View<T>& kernels, Index g, Index k, Index c, Index i, Index j) {
  const auto& s = kernels.stride;
  return kernels.data[g * s[0] + k * s[1] + c * s[2] + i * s[3] + j * s[4]];
}

}  // namespace

template <class T>
Image<double> correlate_reference(const detail::Correlation<T>& job) {
  Image<double> out(job.out.shape);
  const View<double> to = out;
  for_each_tap(
      job, job.out.shape,
      [&](Index n, Index g, Index k, Index c, Index oy, Index ox, Index i, Index j, double pixel) {
        to.at(n, g * job.outputs() + k, oy, ox) +=
            static_cast<double>(entry(job.kernels, g, k, c, i, j)) * pixel;
      });
  return out;
}

template <class T>
Image<double> kernel_gradient_reference(const detail::KernelGradient<T>& gradient) {
  const auto& job = gradient.job;
  Image<double> grad(gradient.grad.shape);
  const View<double> to = grad;
  for_each_tap(
      job, gradient.cotangent.shape,
      [&](Index n, Index g, Index k, Index c, Index oy, Index ox, Index i, Index j, double pixel) {
        const auto weight =
            static_cast<double>(gradient.cotangent.at(n, g * job.outputs() + k, oy, ox));
        entry(to, to.shape[0] == 1 ? 0 : g, k, c, i, j) += weight * pixel;
      });
  return grad;
}

template Image<double> correlate_reference(const detail::Correlation<float>&);
template Image<double> correlate_reference(const detail::Correlation<double>&);
template Image<double> kernel_gradient_reference(const detail::KernelGradient<float>&);
template Image<double> kernel_gradient_reference(const detail::KernelGradient<double>&);

}  // namespace blurfield::test
