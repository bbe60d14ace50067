// SPDX-License-Identifier: BSD-3-Clause
// Standard deviation of white Gaussian noise in images (N, C, H, W) and signals (N, C, L): the
// median absolute deviation of the finest diagonal wavelet coefficients, divided by 0.6745 (Donoho
// and Johnstone 1994), here with Daubechies' wavelet of four taps, which does not see slopes.
// Edges and fine texture count as noise where they fill half of the image.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield {

// One number for all channels and images. `weight`, (N | 1, 1, H, W), leaves out coefficients that
// touch a pixel of weight 0; empty: none. Needs 4 pixels along each axis; 0 where fewer are left.
// Throws Error for pixels that are not finite.
template <class T>
double noise_level(const View<const T>& image, const View<const T>& weight = {});

}  // namespace blurfield
