// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/cost.h"

namespace blurfield::detail {

BlurCosts blur_costs(Index parameters, bool is_float) {
  BlurCosts costs{.exact_pixel = 16.0,
                  .exact_tap = 0.032,
                  .tile = 4000.0,
                  .node = 1200.0,
                  .tap = 0.025,
                  .mix = 0.15,
                  .root = 0.05,
                  .level = 0.5,
                  .filter = 20000.0,
                  .filter_step = 9000.0,
                  .residual_pixel = 25.0,
                  .residual_tap = 0.12};
  if (parameters == 2) costs.exact_pixel *= 1.6;
  if (parameters == 3) {
    costs.exact_pixel = 40.0;
    costs.exact_tap = 0.15;
  }
  if (is_float) return costs;
  for (double* cost : {&costs.exact_pixel, &costs.exact_tap, &costs.tap, &costs.mix, &costs.root,
                       &costs.level, &costs.residual_pixel, &costs.residual_tap}) {
    *cost *= 2.0;
  }
  return costs;
}

}  // namespace blurfield::detail
