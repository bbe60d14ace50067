// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield blur` tells about its work: a line, a JSON object, or a page.
#pragma once

#include <string>

#include "apps/blur/accuracy.h"
#include "blurfield/base/image.h"

namespace blurfield::app {

struct BlurSummary {
  io::Info in;
  io::Sample out_sample = io::Sample::u8;
  double taps = 0;  // multiply-adds of the exact blur
  Accuracy accuracy;
  BlurReport report;
  Index bands = 1;  // of rows that were worked on one after another; 1: the image was in memory
  Index band_rows = 0;
  double memory = 0;  // bytes that the bands were planned for
  int threads = 1;
  double load_seconds = 0;
  double blur_seconds = 0;
  double save_seconds = 0;

  double megapixels() const;
  double megapixels_per_second() const;
};

std::string summary_line(const BlurRequest& request, const BlurSummary& summary);
std::string summary_json(const BlurRequest& request, const BlurSummary& summary);

// What the page of --report shows: input and result (N, C, H, W), and the field (1, 1 | 2 | 3, H,
// W) as adaptive_blur takes it, or empty; each the mean of shrunk x shrunk pixels.
template <class T>
struct BlurPictures {
  View<const T> input;
  View<const T> field;
  View<const T> result;
  bool alpha = false;
  Index shrunk = 1;
};
template <class T>
std::string report_page(const BlurRequest& request, const BlurSummary& summary,
                        const BlurPictures<T>& pictures);

}  // namespace blurfield::app
