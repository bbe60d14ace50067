// SPDX-License-Identifier: BSD-3-Clause
// All filters of the bank on one picture, side by side and labelled.
#pragma once

#include <string>
#include <vector>

#include "apps/filter_request.h"
#include "blurfield/base/image.h"
#include "blurfield/report/colour_map.h"

namespace blurfield::app {

// A response v is drawn as offset + v / divisor, 0 black and 1 white.
struct Scaling {
  double offset = 0;
  double divisor = 1;
  std::string text() const;  // "0.5 + v / 3.2"
};

struct Tile {
  std::string name;
  Index size = 0;  // of the kernel
  Scaling scaling;
  Index y = 0;  // where its upper left pixel is on the sheet
  Index x = 0;
};

struct Montage {
  Image<float> sheet;  // (1, 1 | 3, H, W) in 0..1
  Index tile_height = 0;
  Index tile_width = 0;
  report::Range range;  // of the file, what its responses saw as 0..1
  std::vector<Tile> tiles;
};

// `picture` is (1, 1 | 3, H, W) in 0..1, called `title`, made of a file's values in `range`; it is
// shrunk by averaging where it is large, before it is filtered, and its tiles are magnified where
// it is small.
Montage make_montage(const FilterRequest& request, const std::string& title,
                     const View<const float>& picture, const report::Range& range,
                     const Execution& execution);

}  // namespace blurfield::app
