// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield estimate` tells about its work: a few lines, a JSON object, or a trace.
#pragma once

#include <string>
#include <vector>

#include "apps/estimate/request.h"
#include "apps/search.h"

namespace blurfield::app {

// How a quantity of the field is distributed over the pixels that are known, or over all where
// none is.
struct Spread {
  std::string name;  // "sigma", "sigma_y", "sigma_x", "correlation", "weight"
  double low = 0;    // 5th percentile
  double median = 0;
  double high = 0;  // 95th percentile
};

struct EstimateSummary {
  io::Info sharp;
  io::Info blurred;
  Index channels = 1;  // without alpha
  io::Sample out_sample = io::Sample::f32;
  std::vector<Spread> spreads;
  MixSigmas sigmas{};
  double noise = 0;
  double lambda = 0;
  double loss = 0;
  double known = 0;
  MinimiseResult result;
  Trace trace;
  std::vector<std::string> warnings;
  int threads = 1;
  double load_seconds = 0;
  double estimate_seconds = 0;
  double save_seconds = 0;
};

// `field` (1, 1 | 2 | 3, H, W) as the model says, `confidence` (1, 1, H, W).
template <class T>
std::vector<Spread> spreads_of(BlurModel model, const View<const T>& field,
                               const View<const T>& confidence);

// "sigma 0.52..3.94 px"; the range is 5..95 % of the pixels.
std::string spread_text(const Spread& spread, bool constant);

Trace trace_of(const std::vector<EstimateStep>& steps);

std::string summary_text(const EstimateRequest& request, const EstimateSummary& summary);
std::string summary_json(const EstimateRequest& request, const EstimateSummary& summary);

}  // namespace blurfield::app
