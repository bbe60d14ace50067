// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield blur` was asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/command.h"
#include "apps/gaussian.h"

namespace blurfield::app {

struct BlurRequest {
  std::string in;
  std::string out;
  GaussianRequest gaussian;
  std::string mode = "reflect";
  double cval = 0;
  std::string mask;
  bool linear_light = false;
  double noise = 0;  // standard deviation of what is added to the result
  std::uint64_t seed = 1;
  std::string bit_depth;  // empty: the input's
  std::string report;
  bool force = false;
  bool force_slow = false;
  std::optional<double> memory;  // bytes; empty: kUsualMemory where the files allow it
  Common common;
  std::string line;  // the command line, to repeat it
};

}  // namespace blurfield::app
