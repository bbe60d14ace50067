// SPDX-License-Identifier: BSD-3-Clause
// What the ways of an adaptive blur take on one thread, in nanoseconds: constants fitted by
// `script/bench calibrate` on an AVX-512 machine. Their ratios decide.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::detail {

struct BlurCosts {
  // exact: per pixel, and per tap of a kernel
  double exact_pixel, exact_tap;
  // stack: per tile, per node of an axis of it; per multiply-add along an axis; per pixel and node
  // for its coefficient, and per pixel and pair of nodes of a cluster
  double tile, node, tap, mix, root;
  // per pixel of the image and level that is made; its filters, and their taps per step
  double level, filter, filter_step;
  // residual: per pixel, per tap
  double residual_pixel, residual_tap;
};

// Of kernels with 1, 2 or 3 parameters; a double's are about twice a float's.
BlurCosts blur_costs(Index parameters, bool is_float);

}  // namespace blurfield::detail
