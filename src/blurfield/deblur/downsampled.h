// SPDX-License-Identifier: BSD-3-Clause
// A blur followed by large pixels: each frame pixel is the mean of factor x factor pixels of what
// `blur` makes of the scene. Deblurring with it gives an image factor times as large.
#pragma once

#include <memory>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield {

// Throws Error unless factor >= 1 divides the height and width of blur's frame.
template <class T>
std::unique_ptr<BlurOperator<T>> downsampled(std::unique_ptr<BlurOperator<T>> blur, Index factor);

}  // namespace blurfield
