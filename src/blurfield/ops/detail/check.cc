// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/check.h"

#include <cmath>

#include "blurfield/ops/detail/tolerance/ladder.h"

namespace blurfield::detail {

void check_options(const char* operation, const BlurOptions& options, int spatial_axes) {
  const double truncate = options.truncate.value_or(kDefaultTruncate);
  require(std::isfinite(truncate) && truncate > 0, operation, "expected truncate > 0, got ",
          truncate);
  require(options.tolerance >= 0 && options.tolerance < 1, operation,
          "expected a tolerance of 0 (exact) or below 1, got ", options.tolerance);
  require(std::isfinite(options.extension.cval), operation, "expected a finite cval, got ",
          options.extension.cval);
  const auto count = options.radius.size();
  require(count <= 1 || count == static_cast<std::size_t>(spatial_axes), operation,
          "expected no radius, one, or one per axis (", spatial_axes, "), got ", count);
  for (int radius : options.radius) {
    require(radius >= 0, operation, "expected radius >= 0, got ", radius);
  }
}

double resolve_truncate(const BlurOptions& options) {
  if (options.truncate) return *options.truncate;
  return options.tolerance > 0 ? truncation_for(options.tolerance) : kDefaultTruncate;
}

}  // namespace blurfield::detail
