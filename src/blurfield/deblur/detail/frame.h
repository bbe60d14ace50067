// SPDX-License-Identifier: BSD-3-Clause
// A recorded frame made ready: packed, checked, pixels of weight 0 filled in.
#pragma once

#include "blurfield/deblur/blur_operator.h"

namespace blurfield::detail {

template <class T>
struct Frame {
  // Throws Error for pixels of weight > 0 that are not finite, weights that are negative or not
  // finite, shapes that do not match, and no pixel of weight > 0.
  Frame(const View<const T>& y, const View<const T>& weight);

  View<const T> weight_view() const { return weight.empty() ? View<const T>{} : weight.view(); }
  // One channel, 0 where any channel's weight is: what noise_level takes.
  View<const T> noise_weight() const;
  // A scene that looks like the frame: its pixels side by side, the nearest beyond its border, and
  // what A^T has of the surroundings where the weight is 0.
  Image<T> first_scene(const BlurOperator<T>& blur, int threads) const;

  Image<T> pixels;
  Image<T> weight;       // empty: 1
  Image<T> any_weight;   // of noise_weight, where it has to be made
  double mean = 0.0;     // of the pixels of weight > 0
  double largest = 0.0;  // of their absolute values
};

}  // namespace blurfield::detail
