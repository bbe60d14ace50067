// SPDX-License-Identifier: BSD-3-Clause
// Blur by a Gaussian, the same everywhere or of its own at every pixel.
#pragma once

#include <memory>
#include <span>

#include "blurfield/deblur/blur_operator.h"
#include "blurfield/ops/adaptive_blur.h"

namespace blurfield {

// uniform_blur's: {sigma}, {sigma_y, sigma_x} or {a, b, c}. options.extension is the border's, and
// its execution is not used. Both throw Error as the blurs do, and with border.extend for a radius
// beyond the frame's longer side. psf() is there for up to 2^22 pixels.
template <class T>
std::unique_ptr<BlurOperator<T>> gaussian_operator(const Shape& frame,
                                                   std::span<const double> gaussian,
                                                   const Border& border = {},
                                                   const BlurOptions& options = {});

// adaptive_blur's: `field` (N | 1, 1 | 2 | 3, H, W) of the frame's size, gather or scatter.
// With border.extend it goes on beyond the frame as at its nearest pixel. The operator keeps a
// copy.
template <class T>
std::unique_ptr<BlurOperator<T>> adaptive_operator(const Shape& frame, const View<const T>& field,
                                                   const Border& border = {},
                                                   const AdaptiveBlurOptions& options = {});

}  // namespace blurfield
