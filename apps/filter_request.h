// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield filter` was asked to do.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"
#include "blurfield/ops/correlate.h"
#include "blurfield/ops/filter_bank.h"

namespace blurfield::app {

struct FilterRequest {
  std::string in;
  std::string out;
  // Exactly one of these four.
  std::string kernel;
  std::string filter;
  std::string bank;
  bool list = false;

  Index size = 0;    // 0: the filter's own, or what sigma needs
  double sigma = 0;  // 0: size / 6
  bool correlate = false;
  bool normalise = false;
  std::string method = "auto";
  std::string mode = "reflect";
  double cval = 0;
  std::string output = "same";
  std::vector<Index> stride;    // empty or (SY, SX)
  std::vector<Index> dilation;  // empty or (DY, DX)
  bool linear_light = false;
  bool absolute = false;
  bool shifted = false;   // --signed
  std::string bit_depth;  // empty: the input's
  bool force = false;
  Common common;
  std::string line;  // the command line, to repeat it

  // What --kernel or --filter names.
  const std::string& weights() const { return filter.empty() ? kernel : filter; }
};

// A filter's size: the one asked for; or, where a sigma is, its radius of three sigma; or `usual`.
Index filter_size(const FilterRequest& request, const Filter& filter, Index usual);

CorrelateOptions correlate_options(const FilterRequest& request);

}  // namespace blurfield::app
