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
  // As many as x. A value that is not finite, or not positive on a logarithmic axis, interrupts the
  // line.
  std::vector<double> y;
  bool broad = false;  // a broad pale line, to lie under others
};

struct Axes {
  std::string x_label;
  std::string y_label;
  int width = 560;  // of the drawing, CSS pixels
  int height = 300;
  bool log_x = false;
  bool log_y = false;
};

// All curves in one pair of axes, with a legend. Throws Error where a curve's x and y differ in
// length or no point can be drawn.
Panel curve_panel(const std::vector<Curve>& curves, const Axes& axes, const std::string& caption);

// A drawing of curve_panel as a file of its own: dark ink on white paper.
std::string svg_file(const Panel& drawing);

}  // namespace blurfield::report
