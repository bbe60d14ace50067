// SPDX-License-Identifier: BSD-3-Clause
// Dilation taken apart: outputs of one phase read every dilation-th pixel of the extended axis, and
// correlate those without dilation.
#pragma once

#include <algorithm>
#include <numeric>

#include "blurfield/ops/detail/convolution/correlation.h"
#include "blurfield/ops/detail/convolution/window.h"

namespace blurfield::detail {

// Phase p of an axis: its outputs are o = p + m step, m = 0..count-1, and
// out(o) = sum_i w(i) u(m stride + i), where u(t) is the extended pixel at position(t).
struct AxisPhase {
  Index first = 0;     // p
  Index step = 1;      // between outputs
  Index count = 0;     // of outputs
  Index stride = 1;    // in u
  Index origin = 0;    // where u(0) lies on the extended axis
  Index dilation = 1;  // between pixels of u

  // u(begin), u(begin + every), ...
  Positions positions(Index begin, Index count_of, Index every = 1) const {
    return {origin + begin * dilation, every * dilation, count_of};
  }
};

inline Index phase_count(const CorrelationAxis& axis) {
  return std::min(axis.dilation / std::gcd(axis.stride, axis.dilation), axis.out);
}

inline AxisPhase axis_phase(const CorrelationAxis& axis, Index p) {
  const Index common = std::gcd(axis.stride, axis.dilation);
  const Index step = axis.dilation / common;
  return {p,
          step,
          (axis.out - p + step - 1) / step,
          axis.stride / common,
          axis.first(p),
          axis.dilation};
}

}  // namespace blurfield::detail
