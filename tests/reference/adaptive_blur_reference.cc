// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/adaptive_blur_reference.h"

#include <algorithm>
#include <cmath>

namespace blurfield::test {
namespace {

// One pixel's kernel: weights over |dy| <= ry, |dx| <= rx, summing to 1.
struct Kernel {
  Index ry;
  Index rx;
  std::vector<double> weights;
};

Index radius_of(double sigma, const AdaptiveBlurOptions& options, std::size_t axis) {
  if (!options.radius.empty()) return options.radius[options.radius.size() > 1 ? axis : 0];
  return static_cast<Index>(
      std::max(1.0, std::floor(options.truncate.value_or(kDefaultTruncate) * sigma + 0.5)));
}

// `sign` turns logchol's b where exactly one axis is reversed.
Kernel kernel_at(const View<const double>& field, Index n, Index y, Index x, double sign,
                 const AdaptiveBlurOptions& options) {
  const auto theta = [&](Index k) { return field.at(n, k, y, x); };
  Kernel kernel{};
  const bool full = field.channels() == 3;
  double sy = theta(0);
  double sx = theta(field.channels() - 1);
  double b = 0.0;
  if (full) {
    b = sign * theta(1);
    sy = std::exp(theta(0));
    sx = std::sqrt(b * b + std::exp(2 * theta(2)));
  }
  const bool signal = field.spatial_rank() == 1;
  kernel.ry = signal ? 0 : radius_of(sy, options, 0);
  kernel.rx = radius_of(sx, options, signal ? 0 : 1);
  double sum = 0.0;
  for (Index dy = -kernel.ry; dy <= kernel.ry; ++dy) {
    for (Index dx = -kernel.rx; dx <= kernel.rx; ++dx) {
      const auto fy = static_cast<double>(dy);
      const auto fx = static_cast<double>(dx);
      double z1 = fy / sy;
      double z2 = fx / sx;
      if (full) {  // (G5)
        z1 = std::exp(-theta(0)) * fy;
        z2 = std::exp(-theta(2)) * (fx - b * z1);
      }
      kernel.weights.push_back(std::exp(-0.5 * (z1 * z1 + z2 * z2)));
      sum += kernel.weights.back();
    }
  }
  for (double& w : kernel.weights) w /= sum;
  return kernel;
}

double extended(const View<const double>& x, Index n, Index c, Index y, Index at,
                const Extension& extension) {
  const Index row = extend(y, x.height(), extension.mode);
  const Index column = extend(at, x.width(), extension.mode);
  return row < 0 || column < 0 ? extension.cval : x.at(n, c, row, column);
}

}  // namespace

Image<double> adaptive_blur_reference(const Image<double>& x, const Image<double>& field,
                                      const AdaptiveBlurOptions& options) {
  Image<double> out(x.shape());
  const View<const double> in = x;
  const View<const double> params = field;
  const View<double> to = out;
  const Index height = in.height();
  const Index width = in.width();
  const Extension& extension = options.extension;
  // The field has no value beyond a constant border: the nearest stands.
  const Mode mode = extension.mode == Mode::constant ? Mode::nearest : extension.mode;
  for (Index n = 0; n < in.batch(); ++n) {
    const Index field_n = params.batch() == 1 ? 0 : n;
    Index reach_y = 0;
    Index reach_x = 0;
    for (Index y = 0; options.scatter && y < height; ++y) {
      for (Index at = 0; at < width; ++at) {
        const Kernel kernel = kernel_at(params, field_n, y, at, 1.0, options);
        reach_y = std::max(reach_y, kernel.ry);
        reach_x = std::max(reach_x, kernel.rx);
      }
    }
    for (Index y = -reach_y; y < height + reach_y; ++y) {
      for (Index at = -reach_x; at < width + reach_x; ++at) {
        const bool flip = reversed(y, height, mode) != reversed(at, width, mode);
        const Kernel kernel = kernel_at(params, field_n, extend(y, height, mode),
                                        extend(at, width, mode), flip ? -1.0 : 1.0, options);
        std::size_t tap = 0;
        for (Index dy = -kernel.ry; dy <= kernel.ry; ++dy) {
          for (Index dx = -kernel.rx; dx <= kernel.rx; ++dx) {
            const double w = kernel.weights[tap++];
            for (Index c = 0; c < in.channels(); ++c) {
              if (!options.scatter) {
                to.at(n, c, y, at) += w * extended(in, n, c, y + dy, at + dx, extension);
              } else if (y + dy >= 0 && y + dy < height && at + dx >= 0 && at + dx < width) {
                to.at(n, c, y + dy, at + dx) += w * extended(in, n, c, y, at, extension);
              }
            }
          }
        }
      }
    }
  }
  return out;
}

}  // namespace blurfield::test
