// SPDX-License-Identifier: BSD-3-Clause
// Curves with axes as inline SVG.
#pragma once

#include <string>
#include <vector>

#include "blurfield/report/page.h"

namespace blurfield::report {

struct Curve {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  // as many as x; a value that is not finite interrupts the line
};

struct Axes {
  std::string x_label;
  std::string y_label;
  int width = 560;  // of the drawing, CSS pixels
  int height = 300;
};

// All curves in one pair of linear axes, with a legend. Throws Error where a curve's x and y differ
// in length or no point is finite.
Panel curve_panel(const std::vector<Curve>& curves, const Axes& axes, const std::string& caption);

}  // namespace blurfield::report
