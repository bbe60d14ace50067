// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield blur` tells about its work: a line, a JSON object, or a page.
#pragma once

#include <string>

#include "apps/blur_request.h"
#include "blurfield/base/image.h"

namespace blurfield::app {

struct BlurSummary {
  io::Info in;
  io::Sample out_sample = io::Sample::u8;
  double taps = 0;  // multiply-adds
  int threads = 1;
  double load_seconds = 0;
  double blur_seconds = 0;
  double save_seconds = 0;

  double megapixels() const;
  double megapixels_per_second() const;
};

std::string summary_line(const BlurRequest& request, const BlurSummary& summary);
std::string summary_json(const BlurRequest& request, const BlurSummary& summary);

// The page of --report. Input and result are (N, C, H, W); the field is (1, 1 | 2 | 3, H, W) as
// adaptive_blur takes it, or empty.
template <class T>
std::string report_page(const BlurRequest& request, const BlurSummary& summary, bool alpha,
                        const View<const T>& input, const View<const T>& field,
                        const View<const T>& result);

}  // namespace blurfield::app
