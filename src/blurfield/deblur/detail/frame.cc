// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/detail/frame.h"

#include <algorithm>
#include <cmath>

#include "blurfield/base/check.h"

namespace blurfield::detail {
namespace {

constexpr const char* kName = "deblur";

template <class T>
void check_weight(const Shape& y, const View<const T>& weight) {
  require(weight.rank() == 4 && weight.height() == y[2] && weight.width() == y[3] &&
              (weight.batch() == 1 || weight.batch() == y[0]) &&
              (weight.channels() == 1 || weight.channels() == y[1]),
          kName, "expected a weight (N or 1, C or 1, H, W) of the image ", y.text(), ", got ",
          weight.shape.text());
  check_finite<T>(kName, "weight", weight);
}

// Which of `frame` along one axis a scene's pixel is nearest to.
Index nearest(Index i, Index margin, Index visible, Index frame) {
  return std::clamp<Index>((i - margin) * frame / visible, 0, frame - 1);
}

// The row of `weight` that belongs to one of a frame; null where there are no weights.
template <class T>
const T* weights_of(const View<const T>& weight, Index n, Index c, Index y) {
  if (weight.empty()) return nullptr;
  return weight.row(weight.batch() == 1 ? 0 : n, weight.channels() == 1 ? 0 : c, y);
}

// The least of all channels' weights.
template <class T>
Image<T> least_weight(const View<const T>& weight) {
  Image<T> least({weight.batch(), 1, weight.height(), weight.width()});
  for (Index n = 0; n < weight.batch(); ++n) {
    for (Index y = 0; y < weight.height(); ++y) {
      T* to = least.view().row(n, 0, y);
      for (Index x = 0; x < weight.width(); ++x) {
        to[x] = weight.at(n, 0, y, x);
        for (Index c = 1; c < weight.channels(); ++c) {
          to[x] = std::min(to[x], weight.at(n, c, y, x));
        }
      }
    }
  }
  return least;
}

}  // namespace

template <class T>
Frame<T>::Frame(const View<const T>& y, const View<const T>& w) : pixels(y), weight(w) {
  if (w.empty()) {
    check_finite<T>(kName, "image", y);
  } else {
    check_weight(y.shape, w);
    own_pixels();
    if (w.channels() > 1) any_weight_ = least_weight(w);
  }
  Index count = 0;
  for (Index n = 0; n < y.batch(); ++n) {
    for (Index c = 0; c < y.channels(); ++c) {
      for (Index row = 0; row < y.height(); ++row) count += take_row(n, c, row);
    }
  }
  require(count > 0, kName, "expected pixels of weight > 0, got none");
  mean /= static_cast<double>(count);
}

// Adds a row to the frame's numbers and makes its pixels of weight 0 so; returns how many are not.
template <class T>
Index Frame<T>::take_row(Index n, Index c, Index y) {
  const T* w = weights_of(weight, n, c, y);
  const T* from = pixels.row(n, c, y);
  T* to = own_.empty() ? nullptr : own_.view().row(n, c, y);
  Index count = 0;
  for (Index x = 0; x < pixels.width(); ++x) {
    const T here = w == nullptr ? T{1} : w[x * weight.x_stride()];
    if (here == 0) {
      to[x] = 0;
      continue;
    }
    const T pixel = from[x * pixels.x_stride()];
    if (!(here > 0)) {
      throw Error(message(kName, ": expected weights >= 0, got ", here, " at ",
                          pixel_text(pixels.shape, n, c, y, x)));
    }
    if (!std::isfinite(pixel)) {
      throw Error(message(kName, ": expected finite pixels where the weight is not 0, got ", pixel,
                          " at ", pixel_text(pixels.shape, n, c, y, x)));
    }
    ++count;
    mean += static_cast<double>(pixel);
    lowest = std::min(lowest, static_cast<double>(pixel));
    highest = std::max(highest, static_cast<double>(pixel));
    largest = std::max(largest, std::abs(static_cast<double>(pixel)));
  }
  return count;
}

template <class T>
Image<T>& Frame<T>::own_pixels() {
  if (own_.empty()) {
    own_ = Image<T>(pixels);
    pixels = own_;
  }
  return own_;
}

template <class T>
View<const T> Frame<T>::noise_weight() const {
  return any_weight_.empty() ? weight : any_weight_.view();
}

template <class T>
Image<T> Frame<T>::first_scene(const BlurOperator<T>& blur, int threads) const {
  const Shape& shape = blur.scene();
  Image<T> scene = Image<T>::uninitialised(shape);
  Image<T> around;
  Image<T> share;
  if (!weight.empty()) {
    Image<T> seen = Image<T>::uninitialised(pixels.shape);
    for (Index n = 0; n < pixels.batch(); ++n) {
      for (Index c = 0; c < pixels.channels(); ++c) {
        for (Index y = 0; y < pixels.height(); ++y) {
          const T* w = weights_of(weight, n, c, y);
          T* to = seen.view().row(n, c, y);
          for (Index x = 0; x < pixels.width(); ++x) {
            to[x] = static_cast<T>(w[x * weight.x_stride()] > 0);
          }
        }
      }
    }
    around = Image<T>::uninitialised(shape);
    share = Image<T>::uninitialised(shape);
    blur.adjoint(pixels, around, {threads, {}});  // pixels of weight 0 are 0
    blur.adjoint(seen, share, {threads, {}});
  }
  const auto [my, mx] = blur.margin();
  for (Index n = 0; n < shape[0]; ++n) {
    for (Index c = 0; c < shape[1]; ++c) {
      for (Index y = 0; y < shape[2]; ++y) {
        const Index fy = nearest(y, my, shape[2] - 2 * my, pixels.height());
        const T* w = weights_of(weight, n, c, fy);
        T* to = scene.view().row(n, c, y);
        for (Index x = 0; x < shape[3]; ++x) {
          const Index fx = nearest(x, mx, shape[3] - 2 * mx, pixels.width());
          to[x] = pixels.at(n, c, fy, fx);
          if (w == nullptr || w[fx * weight.x_stride()] > 0) continue;
          const T part = share.view().at(n, c, y, x);
          to[x] = part > T(1e-3) ? around.view().at(n, c, y, x) / part : static_cast<T>(mean);
        }
      }
    }
  }
  return scene;
}

template struct Frame<float>;
template struct Frame<double>;

}  // namespace blurfield::detail
