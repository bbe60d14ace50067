// SPDX-License-Identifier: BSD-3-Clause
// The options of `blurfield deblur`.
#pragma once

#include <string>
#include <vector>

#include "apps/deblur/request.h"

namespace blurfield::app {

// What CLI11's options cannot hold: enumerations, "auto", pairs.
struct DeblurWords {
  std::string grid;
  std::string order;
  std::string border = "extend";
  bool gather = false;
  std::string method;
  std::string fidelity;
  std::string prior;
  std::string rule;
  std::string lambda = "auto";
  std::string prior_scale = "auto";
  std::string noise = "auto";
  std::string gain = "auto";
  std::vector<double> box;
  bool nonneg = false;
  bool per_channel = false;
  bool plain = false;
};

void add_deblur_options(CLI::App& app, DeblurRequest& request, DeblurWords& words);

// Completes the request from the words; refuses options that contradict each other, or that the
// method leaves without meaning.
void understand(const CLI::App& app, const DeblurWords& words, DeblurRequest& request);

}  // namespace blurfield::app
