// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield deblur` tells about its work: a few lines, or a JSON object.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/deblur/request.h"
#include "apps/quality.h"
#include "apps/search.h"

namespace blurfield::app {

struct DeblurSummary {
  io::Info in;
  io::Sample out_sample = io::Sample::u8;
  Accuracy accuracy;   // of blurs by Gaussians
  Index left_out = 0;  // pixels that do not count
  DeblurMethod method = DeblurMethod::lbfgs;
  double noise = 0;
  double lambda = 0;
  double prior_scale = 0;
  double residual = 0;
  double freedom = 0;
  std::vector<std::string> why;
  std::vector<std::string> warnings;
  MinimiseResult result;
  Trace trace;
  // Against the reference.
  double data_range = 0;
  std::optional<Quality> before;
  std::optional<Quality> after;
  int threads = 1;
  double load_seconds = 0;
  double deblur_seconds = 0;
  double save_seconds = 0;
};

// Whether the method is one formula, not a search.
bool closed_form(DeblurMethod method);

// "12 iterations of lbfgs, until ..."
std::string work_text(const DeblurSummary& summary);

std::string summary_text(const DeblurRequest& request, const DeblurSummary& summary);
std::string summary_json(const DeblurRequest& request, const DeblurSummary& summary);

}  // namespace blurfield::app
