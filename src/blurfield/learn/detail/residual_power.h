// SPDX-License-Identifier: BSD-3-Clause
// The size of a residual r, and of the noise in it: second differences along all axes do not see
// what is smooth, and are as large as r itself where r is white (Immerkaer 1996).
#pragma once

#include "blurfield/learn/estimate.h"

namespace blurfield::detail {

// M r^2, and M times the square of r's second differences over that of white noise of variance 1,
// and M, each summed over channels and the images that share a field: (F, 3, H, W). `weights` is M;
// pixels beside one of weight 0 count in none.
template <class T>
Image<T> residual_power(const View<const T>& residual, const View<const T>& weights,
                        const EstimateOptions& options);

}  // namespace blurfield::detail
