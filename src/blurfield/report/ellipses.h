// SPDX-License-Identifier: BSD-3-Clause
// A covariance field drawn as ellipses over its picture (SVG).
#pragma once

#include <string>

#include "blurfield/base/view.h"
#include "blurfield/report/panel.h"

namespace blurfield::report {

// One ellipse of a covariance (yy, yx, xx), in picture coordinates with y downwards.
struct Ellipse {
  double major = 0;  // one standard deviation along the longer axis, pixels
  double minor = 0;
  double degrees = 0;  // from the x axis to the longer axis, clockwise as seen, -90..90
};
Ellipse covariance_ellipse(double yy, double yx, double xx);

// Ellipses of the covariance field cov (1, 3, H, W) = (yy, yx, xx), on a grid of about `across`
// along the longer side, over a picture (1, 1 | 3, H, W) in 0..1. Their size is one standard
// deviation times the scale that the caption names, chosen so that the largest fill their cells.
Panel ellipses_panel(const View<const float>& picture, const View<const float>& cov,
                     const PngEncoder& encode, const std::string& caption, int across = 14);

}  // namespace blurfield::report
