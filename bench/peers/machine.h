// SPDX-License-Identifier: BSD-3-Clause
// What the machine can do at most, to hold times against.
#pragma once

#include <string>

#include "blurfield/base/view.h"

namespace blurfield::bench {

// GFLOP/s of this thread: float multiply-adds in registers, two flops each, on the best SIMD target
// here; the best of several short runs.
double fma_peak();

// Seconds to copy `count` floats to another array on `threads` threads, each its own part: the
// median of many copies, by memcpy or by stores past the cache, whichever is faster.
double copy_seconds(Index count, int threads);

// The SIMD target that the library chooses on this machine, e.g. "AVX2".
std::string simd_target();

}  // namespace blurfield::bench
