// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/residual_power.h"

#include <algorithm>

namespace blurfield::detail {
namespace {

// The middle of the three pixels whose second difference stands at i: at the border, the last such.
Index middle(Index i, Index n) { return n >= 3 ? std::clamp<Index>(i, 1, n - 2) : i; }

template <class T>
struct Plane {
  const T* residual;
  const T* weights;
  Index height;
  Index width;

  // The second difference of r around (y, x), along the axes of three pixels and more.
  T rough(Index y, Index x) const {
    const auto along_x = [&](Index row) {
      const T* at = residual + row * width + x;
      return width >= 3 ? 2 * at[0] - at[-1] - at[1] : at[0];
    };
    return height >= 3 ? 2 * along_x(y) - along_x(y - 1) - along_x(y + 1) : along_x(y);
  }
  // Whether all pixels of that have a weight.
  bool whole(Index y, Index x) const {
    const Index dy = height >= 3 ? 1 : 0;
    const Index dx = width >= 3 ? 1 : 0;
    for (Index v = y - dy; v <= y + dy; ++v) {
      for (Index u = x - dx; u <= x + dx; ++u) {
        if (!(weights[v * width + u] > 0)) return false;
      }
    }
    return true;
  }
};

}  // namespace

template <class T>
Image<T> residual_power(const View<const T>& residual, const View<const T>& weights,
                        const EstimateOptions& options) {
  Shape shape = residual.shape;
  if (options.shared) shape[0] = 1;
  shape[1] = 3;
  Image<T> power(shape);
  const Index images = residual.batch() / shape[0];
  const Index height = residual.height();
  const Index width = residual.width();
  // 1 + 4 + 1 along each axis that has differences
  const auto norm = static_cast<T>((height >= 3 ? 6.0 : 1.0) * (width >= 3 ? 6.0 : 1.0));
  parallel_for(shape[0] * height, {options.blur.execution.threads, {}}, [&](Index i) {
    const Index field = i / height;
    const Index y = i % height;
    for (Index n = field * images; n < (field + 1) * images; ++n) {
      for (Index c = 0; c < residual.channels(); ++c) {
        const Plane<T> plane{residual.row(n, c, 0), weights.row(n, c, 0), height, width};
        for (Index x = 0; x < width; ++x) {
          const Index v = middle(y, height);
          const Index u = middle(x, width);
          const T weight = plane.weights[y * width + x];
          if (!(weight > 0) || !plane.whole(v, u)) continue;
          const T own = plane.residual[y * width + x];
          const T rough = plane.rough(v, u);
          power.view().at(field, 0, y, x) += weight * own * own;
          power.view().at(field, 1, y, x) += weight * rough * rough / norm;
          power.view().at(field, 2, y, x) += weight;
        }
      }
    }
  });
  return power;
}

template Image<float> residual_power(const View<const float>&, const View<const float>&,
                                     const EstimateOptions&);
template Image<double> residual_power(const View<const double>&, const View<const double>&,
                                      const EstimateOptions&);

}  // namespace blurfield::detail
