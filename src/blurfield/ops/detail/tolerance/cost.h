// SPDX-License-Identifier: BSD-3-Clause
// What the ways of an adaptive blur take on one thread, in nanoseconds: constants fitted by
// `script/bench calibrate` on an AVX-512 machine. Their ratios decide.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::detail {

struct BlurCosts {
  // exact: per pixel; per tap of a kernel
  double exact_pixel = 0.0, exact_tap = 0.0;
  // stack and residual: once, what their rooms take more than those of exact sums
  double start = 0.0;
  // stack: per tile, per node of an axis of it; per multiply-add along an axis; per pixel and node
  // for its coefficient, and per pixel and pair of nodes of a cluster
  double tile = 0.0, node = 0.0, tap = 0.0, mix = 0.0, root = 0.0;
  // per pixel of the image and level that is made; its filters, and their taps per step
  double level = 0.0, filter = 0.0, filter_step = 0.0;
  // residual: per pixel, per tap
  double residual_pixel = 0.0, residual_tap = 0.0;
};

// Of kernels with 1, 2 or 3 parameters.
BlurCosts blur_costs(Index parameters, bool is_float);

}  // namespace blurfield::detail
