// SPDX-License-Identifier: BSD-3-Clause
// Perceptually uniform colour maps and pictures painted with them.
#pragma once

#include <array>
#include <string>

#include "blurfield/base/image.h"

namespace blurfield::report {

enum class ColourMap {
  viridis,  // dark blue to yellow, for fields
  magma,    // black to pale yellow, for errors
};

// The sRGB colour, each 0..1, of a value in 0..1; beyond, the nearest end.
std::array<float, 3> colour(ColourMap map, double value);

struct Range {
  double low = 0.0;
  double high = 1.0;
};

// Least and greatest finite value of channel `channel` of batch n; {0, 0} if there is none.
Range value_range(const View<const float>& values, Index n = 0, Index channel = 0);

// Channel `channel` of batch n of a (N, C, H, W) view as an sRGB picture (1, 3, H, W); low..high
// spans the map. Values that are not finite are mid-grey.
Image<float> paint(const View<const float>& values, ColourMap map, const Range& range, Index n = 0,
                   Index channel = 0);

// The map as a CSS background, left to right.
std::string css_gradient(ColourMap map);

}  // namespace blurfield::report
