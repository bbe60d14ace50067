// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/soft_maximum.h"

#include <algorithm>
#include <cmath>

#include "blurfield/base/error.h"

namespace blurfield {

double soft_maximum(double s, const SoftMaximum& options) {  // (G7)
  const double low = options.sigma_min;
  const double high = s + options.shift;
  return std::max(low, high) + std::log1p(std::exp(-std::abs(high - low)));
}

double soft_maximum_derivative(double s, const SoftMaximum& options) {
  const double excess = s + options.shift - options.sigma_min;
  const double small = std::exp(-std::abs(excess));
  return (excess >= 0 ? 1.0 : small) / (1.0 + small);
}

double soft_maximum_inverse(double sigma, const SoftMaximum& options) {
  require(std::isfinite(sigma) && sigma > options.sigma_min, "soft_maximum_inverse",
          "expected sigma > sigma_min = ", options.sigma_min, ", got ", sigma);
  // log(e^sigma - e^sigma_min) without overflow.
  return sigma + std::log(-std::expm1(options.sigma_min - sigma)) - options.shift;
}

}  // namespace blurfield
