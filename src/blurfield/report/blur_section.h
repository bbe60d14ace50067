// SPDX-License-Identifier: BSD-3-Clause
// The section that tells one blur: input, field, result, enlarged crops of both, brightness along
// the row through the first crop, a table, and the command that repeats it.
#pragma once

#include <string>
#include <vector>

#include "blurfield/report/panel.h"

namespace blurfield::report {

struct BlurSection {
  std::string heading;
  std::string text;
  View<const float> input;   // (1, 1 | 3, H, W), in 0..1
  View<const float> result;  // of the input's shape
  // Empty, or (1, 1, H, W) sigma, (1, 2, H, W) sigma_y and sigma_x, (1, 3, H, W) covariance
  // (yy, yx, xx); pixels.
  View<const float> field;
  std::string field_caption;
  std::vector<Crop> crops;                      // where to enlarge; empty: where most has changed
  std::vector<std::vector<std::string>> table;  // first row: headings
  std::string command;
};

// What shows a field (1, 1 | 2 | 3, H, W), as in BlurSection: maps of sigma, or ellipses over the
// picture.
std::vector<Panel> field_panels(const View<const float>& picture, const View<const float>& field,
                                const std::string& caption, const PngEncoder& encode);

void add_blur_section(Page& page, const BlurSection& section, const PngEncoder& encode);

}  // namespace blurfield::report
