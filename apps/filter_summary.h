// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield filter` tells: the bank's names, or about its work; as text or JSON.
#pragma once

#include <string>

#include "apps/filter_montage.h"
#include "apps/filter_request.h"
#include "blurfield/ops/correlate.h"

namespace blurfield::app {

struct FilterSummary {
  io::Info in;
  io::Sample out_sample = io::Sample::u8;
  Shape kernel;  // (kh, kw)
  Shape out;     // (pages, channels, H, W)
  CorrelatePlan plan;
  int threads = 1;
  double load_seconds = 0;
  double filter_seconds = 0;
  double save_seconds = 0;

  double megapixels_per_second() const;  // of the input
};

std::string summary_line(const FilterRequest& request, const FilterSummary& summary);
std::string summary_json(const FilterRequest& request, const FilterSummary& summary);

std::string montage_line(const FilterRequest& request, const Montage& montage);
std::string montage_json(const FilterRequest& request, const Montage& montage);

std::string list_text();
std::string list_json();

}  // namespace blurfield::app
