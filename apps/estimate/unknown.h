// SPDX-License-Identifier: BSD-3-Clause
// Pixels that an estimate must not use, though its blur reaches them. Images are (N, C, H, W), a
// mask is (N, 1, H, W) with weight 0 where a pixel is unknown.
#pragma once

#include "blurfield/learn/estimate.h"

namespace blurfield::app {

// Unknown pixels get the weighted mean of those within reach of the narrowest blur that has any; 0
// on a page without any.
template <class T>
void fill_unknown(const View<T>& image, const View<const T>& mask, const Execution& execution);

// Lowers the weight of pixels whose blur, as wide as the one that relates the whole images best,
// takes much from unknown pixels: what was filled in there is not what was blurred.
template <class T>
void lower_around_unknown(const View<const T>& sharp, const View<const T>& blurred,
                          const EstimateOptions& options, const View<T>& mask);

}  // namespace blurfield::app
