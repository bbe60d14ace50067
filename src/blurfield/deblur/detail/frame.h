// SPDX-License-Identifier: BSD-3-Clause
// A recorded frame made ready: checked, pixels of weight 0 made 0.
#pragma once

#include <limits>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield::detail {

template <class T>
struct Frame {
  // Both must outlive this. Throws Error for pixels of weight > 0 that are not finite, weights that
  // are negative or not finite, shapes that do not match, and no pixel of weight > 0.
  Frame(const View<const T>& y, const View<const T>& w);

  // One channel, 0 where any channel's weight is: what noise_level takes.
  View<const T> noise_weight() const;
  // A scene that looks like the frame: its pixels side by side, the nearest beyond its border, and
  // what A^T has of the surroundings where the weight is 0.
  Image<T> first_scene(const BlurOperator<T>& blur, int threads) const;
  // The pixels to write to: a copy, made where they are the caller's.
  Image<T>& own_pixels();

  View<const T> pixels;
  View<const T> weight;                                     // empty: 1
  double mean = 0.0;                                        // of the pixels of weight > 0
  double largest = 0.0;                                     // of their absolute values
  double lowest = std::numeric_limits<double>::infinity();  // of them
  double highest = -std::numeric_limits<double>::infinity();

 private:
  Index take_row(Index n, Index c, Index y);

  Image<T> own_;
  Image<T> any_weight_;  // of noise_weight, where it has to be made
};

}  // namespace blurfield::detail
