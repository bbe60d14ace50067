// SPDX-License-Identifier: BSD-3-Clause
// Sums whose terms do not wait for each other.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::detail {

// The sum of f(i), i = begin..end-1; f may write to element i of arrays.
template <class F>
double lane_sum(Index begin, Index end, const F& f) {
  double lanes[4] = {};
  Index i = begin;
  for (; i + 4 <= end; i += 4) {
    for (int lane = 0; lane < 4; ++lane) lanes[lane] += f(i + lane);
  }
  for (; i < end; ++i) lanes[0] += f(i);
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

}  // namespace blurfield::detail
