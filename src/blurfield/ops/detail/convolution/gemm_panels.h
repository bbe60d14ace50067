// SPDX-License-Identifier: BSD-3-Clause
// How the gemm method cuts a correlation into calls of the BLAS, and what that costs.
#pragma once

#include <algorithm>

#include "blurfield/base/view.h"

namespace blurfield::detail {

// OpenBLAS' thread count belongs to the process, so it is never set; instead no call is so large
// that OpenBLAS would share it among threads: at most these multiply-adds in a matrix product
// (SMP_THRESHOLD_MIN * GEMM_MULTITHREAD_THRESHOLD) and in a matrix-vector product.
inline constexpr Index kGemmLimit = 65536 * 4;
inline constexpr Index kGemvLimit = 2304 * 4 - 1;

// A panel is `taps` rows of the im2col matrix at a rectangle of output pixels.
struct GemmPanels {
  Index outputs = 1;  // kernels (of a group) in a call
  Index taps = 1;     // of a group's C kh kw
  Index height = 1;   // output pixels
  Index width = 1;
};

// Splits `whole` into parts of about equal size, at most `most`; returns that size.
inline Index even_part(Index whole, Index most) {
  const Index parts = (whole + most - 1) / most;
  return (whole + parts - 1) / parts;
}

// For groups of `outputs` kernels of `taps` = C kh kw taps and out_height x out_width pixels.
inline GemmPanels gemm_panels(Index outputs, Index taps, Index out_height, Index out_width) {
  // 64 taps x 512 pixels are half of a small L2 cache. Shorter sums per call would reread the
  // output more often, longer ones leave too few pixels below the limit.
  constexpr Index kKernels = 64;
  constexpr Index kTaps = 64;
  constexpr Index kPixels = 512;
  constexpr Index kRound = 16;
  GemmPanels panels;
  panels.outputs = even_part(outputs, kKernels);
  panels.taps = even_part(taps, kTaps);
  const Index limit = outputs == 1 ? kGemvLimit : kGemmLimit;
  const Index most = std::min(kPixels, limit / (panels.outputs * panels.taps) / kRound * kRound);
  const Index even = (even_part(out_width, most) + kRound - 1) / kRound * kRound;
  panels.width = std::min(out_width, even);
  panels.height = std::min(out_height, most / panels.width);
  return panels;
}

// The work of correlate_gemm and, to within the reduction, of kernel_gradient_gemm.
struct GemmCost {
  double multiply_adds = 0;
  double packed = 0;  // elements copied into panels
  double calls = 0;   // of the BLAS
};

// `sets` = N G: how often the groups above are done.
inline GemmCost gemm_cost(Index sets, Index outputs, Index taps, Index out_height,
                          Index out_width) {
  const GemmPanels panels = gemm_panels(outputs, taps, out_height, out_width);
  const auto parts = [](Index whole, Index part) {
    const Index count = (whole + part - 1) / part;
    return static_cast<double>(count);
  };
  GemmCost cost;
  cost.packed = static_cast<double>(sets) * static_cast<double>(taps) *
                static_cast<double>(out_height) * static_cast<double>(out_width);
  cost.multiply_adds = cost.packed * static_cast<double>(outputs);
  cost.calls = static_cast<double>(sets) * parts(outputs, panels.outputs) *
               parts(taps, panels.taps) * parts(out_height, panels.height) *
               parts(out_width, panels.width);
  return cost;
}

}  // namespace blurfield::detail
