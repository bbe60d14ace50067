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

}  // namespace

template <class T>
Frame<T>::Frame(const View<const T>& y, const View<const T>& w) : pixels(y) {
  if (w.empty()) {
    check_finite<T>(kName, "image", pixels);
  } else {
    check_weight(y.shape, w);
    weight = Image<T>(w);
  }
  double count = 0.0;
  for (Index n = 0; n < y.batch(); ++n) {
    for (Index c = 0; c < y.channels(); ++c) {
      for (Index row = 0; row < y.height(); ++row) {
        T* at = pixels.view().row(n, c, row);
        for (Index x = 0; x < y.width(); ++x) {
          const T here =
              w.empty() ? T{1} : w.at(w.batch() == 1 ? 0 : n, w.channels() == 1 ? 0 : c, row, x);
          require(here >= 0, kName, "expected weights >= 0, got ", here, " at ",
                  pixel_text(y.shape, n, c, row, x));
          require(here == 0 || std::isfinite(at[x]), kName,
                  "expected finite pixels where the weight is not 0, got ", at[x], " at ",
                  pixel_text(y.shape, n, c, row, x));
          if (here == 0) {
            at[x] = 0;
            continue;
          }
          count += 1;
          mean += static_cast<double>(at[x]);
          largest = std::max(largest, std::abs(static_cast<double>(at[x])));
        }
      }
    }
  }
  require(count > 0, kName, "expected pixels of weight > 0, got none");
  mean /= count;
  if (weight.empty() || weight.shape()[1] == 1) return;
  any_weight = Image<T>({weight.shape()[0], 1, y.height(), y.width()});
  const Index plane = y.height() * y.width();
  for (Index n = 0; n < weight.shape()[0]; ++n) {
    for (Index i = 0; i < plane; ++i) {
      T least = weight.data()[n * y.channels() * plane + i];
      for (Index c = 1; c < y.channels(); ++c) {
        least = std::min(least, weight.data()[(n * y.channels() + c) * plane + i]);
      }
      any_weight.data()[n * plane + i] = least;
    }
  }
}

template <class T>
View<const T> Frame<T>::noise_weight() const {
  return any_weight.empty() ? weight_view() : any_weight.view();
}

template <class T>
Image<T> Frame<T>::first_scene(const BlurOperator<T>& blur, int threads) const {
  const Shape& shape = blur.scene();
  const View<const T> from = pixels;
  const View<const T> w = weight_view();
  Image<T> scene = Image<T>::uninitialised(shape);
  Image<T> around;
  Image<T> share;
  if (!w.empty()) {
    Image<T> weights = Image<T>::uninitialised(pixels.shape());
    for (Index n = 0; n < from.batch(); ++n) {
      for (Index c = 0; c < from.channels(); ++c) {
        for (Index y = 0; y < from.height(); ++y) {
          const T* row = w.row(w.batch() == 1 ? 0 : n, w.channels() == 1 ? 0 : c, y);
          T* to = weights.view().row(n, c, y);
          for (Index x = 0; x < from.width(); ++x) to[x] = row[x] > 0 ? T{1} : T{0};
        }
      }
    }
    around = Image<T>::uninitialised(shape);
    share = Image<T>::uninitialised(shape);
    blur.adjoint(pixels, around, {threads, {}});  // pixels of weight 0 are 0
    blur.adjoint(weights, share, {threads, {}});
  }
  const auto [my, mx] = blur.margin();
  for (Index n = 0; n < shape[0]; ++n) {
    for (Index c = 0; c < shape[1]; ++c) {
      for (Index y = 0; y < shape[2]; ++y) {
        const Index fy = nearest(y, my, shape[2] - 2 * my, from.height());
        T* to = scene.view().row(n, c, y);
        for (Index x = 0; x < shape[3]; ++x) {
          const Index fx = nearest(x, mx, shape[3] - 2 * mx, from.width());
          to[x] = from.at(n, c, fy, fx);
          if (w.empty() || w.at(w.batch() == 1 ? 0 : n, w.channels() == 1 ? 0 : c, fy, fx) > 0) {
            continue;
          }
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
