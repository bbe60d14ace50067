// SPDX-License-Identifier: BSD-3-Clause
// What one core can do at most: float multiply-adds in registers, on the best SIMD target here.
#pragma once

#include <string>

namespace blurfield::bench {

// GFLOP/s of this thread, two flops per multiply-add; the best of several short runs.
double fma_peak();

// The SIMD target that fma_peak() and the library choose on this machine, e.g. "AVX2".
std::string simd_target();

}  // namespace blurfield::bench
