// SPDX-License-Identifier: BSD-3-Clause
// What every blur takes beside its image and its Gaussian.
#pragma once

#include <vector>

#include "blurfield/base/extension.h"
#include "blurfield/base/parallel.h"

namespace blurfield {

struct BlurOptions {
  Extension extension;    // what stands beyond the border
  double truncate = 4.0;  // radius r(sigma) = max(1, floor(truncate * sigma + 1/2)) pixels
  // Overrides `truncate`: empty, one radius for all axes, or one per spatial axis, (ry, rx).
  std::vector<int> radius;
  Execution execution;
};

}  // namespace blurfield
