// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/check.h"

#include <cmath>

namespace blurfield::detail {

void check_options(const char* operation, const BlurOptions& options, int spatial_axes) {
  require(std::isfinite(options.truncate) && options.truncate > 0, operation,
          "expected truncate > 0, got ", options.truncate);
  require(std::isfinite(options.extension.cval), operation, "expected a finite cval, got ",
          options.extension.cval);
  const auto count = options.radius.size();
  require(count <= 1 || count == static_cast<std::size_t>(spatial_axes), operation,
          "expected no radius, one, or one per axis (", spatial_axes, "), got ", count);
  for (int radius : options.radius) {
    require(radius >= 0, operation, "expected radius >= 0, got ", radius);
  }
}

}  // namespace blurfield::detail
