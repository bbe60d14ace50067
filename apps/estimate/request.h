// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield estimate` was asked to do.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"
#include "blurfield/learn/estimate.h"

namespace blurfield::app {

struct EstimateRequest {
  std::string sharp;
  std::string blurred;
  std::string out;
  std::string confidence;  // empty: not asked for, as the next two
  std::string trace;
  std::string report;
  std::string mask;
  bool linear_light = false;
  bool force = false;
  EstimateOptions options;  // but for threads, progress and callback
  Common common;
  std::string line;  // the command line, to repeat it

  // One Gaussian, or one weight, for the whole image.
  bool one_for_all() const {
    return options.model == BlurModel::uniform ||
           (options.model == BlurModel::mix && options.scalar_weight);
  }
};

}  // namespace blurfield::app
