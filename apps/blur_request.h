// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield blur` was asked to do.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"

namespace blurfield::app {

struct BlurRequest {
  std::string in;
  std::string out;
  // Exactly one of these five.
  double sigma = 0;
  std::vector<double> sigma_yx;
  std::vector<double> cov;
  std::string sigma_map;
  std::string logchol_map;
  bool has_sigma = false;

  std::vector<double> sigma_range;  // empty: a map's values are pixels
  std::string mode = "reflect";
  double cval = 0;
  double truncate = 4;
  std::vector<int> radius;  // empty, (r) or (ry, rx)
  bool scatter = false;
  double tolerance = 0;
  std::string mask;
  bool linear_light = false;
  std::string bit_depth;  // empty: the input's
  std::string report;
  bool force = false;
  bool force_slow = false;
  Common common;
  std::string line;  // the command line, to repeat it
};

}  // namespace blurfield::app
