// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/reach.h"

namespace blurfield::detail {

// Where more than one copy of a frame pixel is within reach under Mode::wrap, the window is the
// frame itself and kernels are folded onto it.
static bool wraps_densely(Index radius, Index n, Mode mode) {
  return mode == Mode::wrap && 2 * radius + 1 > n;
}

Window reach_window(Index first, Index last, Index radius, Index n, Mode mode) {
  if (wraps_densely(radius, n, mode)) return {0, n};
  if (mode == Mode::wrap) return {first - radius, last + radius + 1};
  return {std::max<Index>(0, first - radius), std::min(n, last + radius + 1)};
}

// Whether sources of row y with this radius reach rows of the band.
bool reaches(Index y, Index radius, const Window& band, Index height, Mode mode) {
  const Window reach = reach_window(y, y, radius, height, mode);
  if (reach.begin < band.end && reach.end > band.begin) return true;
  if (mode != Mode::wrap) return false;
  return (reach.begin < 0 && reach.begin + height < band.end) ||
         (reach.end > height && reach.end - height > band.begin);
}

}  // namespace blurfield::detail
