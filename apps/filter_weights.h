// SPDX-License-Identifier: BSD-3-Clause
// The weights that `blurfield filter` works with.
#pragma once

#include "apps/filter_request.h"
#include "blurfield/base/image.h"

namespace blurfield::app {

struct WeightSums {
  double sum = 0;
  double magnitude = 0;  // sum of |w|
  // Negligible sums are those of derivatives, which rounding leaves.
  bool positive() const { return sum > 1e-4 * magnitude; }
};

WeightSums sums_of(const Image<double>& kernel);

// (kh, kw) of --kernel or --filter, divided by their sum for --normalise.
Image<double> load_weights(const FilterRequest& request);

}  // namespace blurfield::app
