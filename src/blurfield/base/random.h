// SPDX-License-Identifier: BSD-3-Clause
// A seeded random generator whose numbers are the same on every platform.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

#include "blurfield/base/view.h"

namespace blurfield {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // Uniform in [0, 1), 53 random bits.
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Uniform integer in low..high, both included.
  Index integer(Index low, Index high) {
    return low + static_cast<Index>(uniform() * static_cast<double>(high - low + 1));
  }
  // Standard normal, by Box and Muller (the standard library's differs between platforms).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace blurfield
