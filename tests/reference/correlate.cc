// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/correlate.h"

namespace blurfield::test {
namespace {

double pixel(const View<const double>& x, Index n, Index c, Index row, Index column,
             const Extension& extension) {
  const Index y = extend(row, x.height(), extension.mode);
  const Index col = extend(column, x.width(), extension.mode);
  return y < 0 || col < 0 ? extension.cval : x.at(n, c, y, col);
}

// f(n, c, y, x) for every pixel of out.
template <class F>
Image<double> filled(const Shape& shape, const F& f) {
  Image<double> out(shape);
  const View<double> to = out;
  for (Index n = 0; n < to.batch(); ++n) {
    for (Index c = 0; c < to.channels(); ++c) {
      for (Index y = 0; y < to.height(); ++y) {
        for (Index x = 0; x < to.width(); ++x) to.at(n, c, y, x) = f(n, c, y, x);
      }
    }
  }
  return out;
}

}  // namespace

Image<double> correlate_axis(const Image<double>& x, const std::vector<double>& taps, int axis,
                             const Extension& extension) {
  const auto radius = static_cast<Index>(taps.size() / 2);
  return filled(x.shape(), [&](Index n, Index c, Index y, Index col) {
    double sum = 0.0;
    for (Index k = -radius; k <= radius; ++k) {
      sum += taps[static_cast<std::size_t>(k + radius)] *
             (axis == 0 ? pixel(x.view(), n, c, y + k, col, extension)
                        : pixel(x.view(), n, c, y, col + k, extension));
    }
    return sum;
  });
}

Image<double> correlate_2d(const Image<double>& x, const Kernel2d& kernel,
                           const Extension& extension) {
  return filled(x.shape(), [&](Index n, Index c, Index y, Index col) {
    double sum = 0.0;
    for (int dy = -kernel.ry; dy <= kernel.ry; ++dy) {
      for (int dx = -kernel.rx; dx <= kernel.rx; ++dx) {
        sum += kernel.at(dy, dx) * pixel(x.view(), n, c, y + dy, col + dx, extension);
      }
    }
    return sum;
  });
}

}  // namespace blurfield::test
