// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/cost.h"

#include <array>

namespace blurfield::detail {
namespace {

// By parameters. Where the fit gave 0 to what a tile or a node takes by itself, which frames of one
// tile show, they stand by those.
constexpr std::array<BlurCosts, 3> kFloat{{
    {.exact_pixel = 40.0,
     .exact_tap = 0.028,
     .start = 3e4,
     .tile = 4e3,
     .node = 3500.0,
     .tap = 0.0105,
     .mix = 1.1,
     .root = 0.06,
     .level = 1.0,
     .filter = 1e4,
     .filter_step = 4500.0},
    {.exact_pixel = 54.0,
     .exact_tap = 0.036,
     .start = 3e4,
     .tile = 4e3,
     .node = 11e3,
     .tap = 0.0,
     .mix = 0.0,
     .root = 0.19,
     .level = 2.3,
     .filter = 1e4,
     .filter_step = 4500.0},
    {.exact_pixel = 88.0,
     .exact_tap = 0.32,
     .start = 3e4,
     .level = 3.2,
     .filter = 1e4,
     .filter_step = 4500.0,
     .residual_pixel = 75.0,
     .residual_tap = 0.15},
}};
constexpr std::array<BlurCosts, 3> kDouble{{
    {.exact_pixel = 45.0,
     .exact_tap = 0.062,
     .start = 3e4,
     .tile = 8e3,
     .node = 4e3,
     .tap = 0.029,
     .mix = 1.25,
     .root = 0.06,
     .level = 1.65,
     .filter = 1e4,
     .filter_step = 4500.0},
    {.exact_pixel = 65.0,
     .exact_tap = 0.067,
     .start = 3e4,
     .tile = 8e3,
     .node = 9e3,
     .tap = 0.0175,
     .mix = 0.0,
     .root = 0.18,
     .level = 8.9,
     .filter = 1e4,
     .filter_step = 4500.0},
    {.exact_pixel = 88.0,
     .exact_tap = 0.61,
     .start = 3e4,
     .level = 5.8,
     .filter = 1e4,
     .filter_step = 4500.0,
     .residual_pixel = 92.0,
     .residual_tap = 0.26},
}};

}  // namespace

BlurCosts blur_costs(Index parameters, bool is_float) {
  return (is_float ? kFloat : kDouble)[static_cast<std::size_t>(parameters - 1)];
}

}  // namespace blurfield::detail
