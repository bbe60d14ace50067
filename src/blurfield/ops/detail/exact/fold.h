// SPDX-License-Identifier: BSD-3-Clause
// Folding the part of a symmetric 1-D kernel that lies beyond the frame back onto it.
#pragma once

#include <algorithm>

#include "blurfield/base/extension.h"

namespace blurfield::detail {

// Adds to table[i - begin], begin <= i < end, what the extension of an axis of n pixels makes of
// the kernel half[0..radius] of pixel p beyond the frame.
//   to_output: sum over e beyond the frame with extend(e) = i of half[|e - p|];
//   otherwise: sum over copies p' != p of p of half[|i - p'|].
// The two differ only where a copy of the frame does not repeat its edge pixel (mirror), or repeats
// nothing else (nearest). Not for Mode::constant. Cost: about the radius.
template <class T, class Sum>
void fold_kernel(const T* half, Index radius, Index p, Index n, Mode mode, bool to_output,
                 Index begin, Index end, Sum* table) {
  const auto weight = [&](Index distance) { return static_cast<Sum>(half[distance]); };
  if (mode == Mode::nearest && to_output) {
    for (Index k = p + 1; k <= radius; ++k) table[0 - begin] += weight(k);
    for (Index k = n - p; k <= radius; ++k) table[n - 1 - begin] += weight(k);
    return;
  }
  if (mode == Mode::nearest) {
    Sum tail{0};  // all copies at -1, -2, ... of pixel 0, seen from i
    for (Index i = radius - 1; p == 0 && i >= 0; --i) {
      tail += weight(i + 1);
      if (i < end) table[i - begin] += tail;
    }
    tail = Sum{0};
    for (Index i = radius - 1; p == n - 1 && i >= 0; --i) {
      tail += weight(i + 1);
      if (n - 1 - i >= begin) table[n - 1 - i - begin] += tail;
    }
    return;
  }
  // Pixel i of the frame sees a copy of p, which lies at the frame's edge or beyond.
  const auto add_copy = [&](Index copy, Index first, Index last) {
    const Index low = std::max({begin, first, copy - radius});
    const Index high = std::min({end, last, copy + radius + 1});
    if (copy <= 0) {
      for (Index i = low; i < high; ++i) table[i - begin] += weight(i - copy);
    } else {
      for (Index i = low; i < high; ++i) table[i - begin] += weight(copy - i);
    }
  };
  const bool mirrors = mode == Mode::mirror && n > 1;
  const Index period = mirrors ? 2 * n - 2 : (mode == Mode::reflect ? 2 * n : n);
  const Index twin = mirrors ? -p : -1 - p;
  // Under mirror the edge pixels are their own twins.
  const bool p_has_twin = mode == Mode::reflect || (mirrors && (to_output || (p > 0 && p < n - 1)));
  const Index inner = mirrors && to_output ? 1 : 0;
  for (Index shift = -period * ((radius + n) / period + 1); shift - n <= n + radius;
       shift += period) {
    if (shift != 0) add_copy(p + shift, 0, n);
    if (p_has_twin) add_copy(twin + shift, inner, n - inner);
  }
}

}  // namespace blurfield::detail
