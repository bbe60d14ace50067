// SPDX-License-Identifier: BSD-3-Clause
// What a blur makes of points of light, as a drawing.
#pragma once

#include <string>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield::app {

struct Impulses {
  Image<float> sheet;  // (1, 1, H, W) in 0..1: cells in rows, as the points stand in the image
  Index across = 1;    // cells per row and column
  Index side = 0;      // of a cell's window, pixels
};

// Points at the centres of across x across parts of the frame (1, 1, H, W); of a varying blur 5, or
// 3 where the responses are too large. Each cell shows the square root of the response, as bright
// as its own peak.
template <class T>
Impulses impulse_responses(const BlurOperator<T>& blur, bool uniform);

}  // namespace blurfield::app
