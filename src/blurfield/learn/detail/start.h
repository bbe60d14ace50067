// SPDX-License-Identifier: BSD-3-Clause
// Where an estimate starts: uniform blurs of x over a ladder of sigmas, compared with y.
#pragma once

#include "blurfield/learn/estimate.h"

namespace blurfield::detail {

template <class T>
struct Start {
  double sigma = 1.0;  // of the uniform blur that is closest to y as a whole
  // The sigma of the closest one around each pixel, (F, 1, H, W), averaged over a neighbourhood
  // that the image tells of, the whole's elsewhere.
  Image<T> field;
};

// `weights` (N, C, H, W) of the residuals.
template <class T>
Start<T> find_start(const View<const T>& x, const View<const T>& y, const View<const T>& weights,
                    double max_sigma, const EstimateOptions& options);

}  // namespace blurfield::detail
