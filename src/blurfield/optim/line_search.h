// SPDX-License-Identifier: BSD-3-Clause
// Searches a function of one variable, phi(step) = f(x + step d), for a step that satisfies the
// strong Wolfe conditions
//   phi(step) <= phi(0) + decrease step phi'(0),  |phi'(step)| <= curvature |phi'(0)|
// by bracketing and safeguarded cubic interpolation (Nocedal and Wright 2006, section 3.5).
#pragma once

#include <functional>
#include <limits>

namespace blurfield {

struct LinePoint {
  double step = 0.0;
  double value = 0.0;
  double slope = 0.0;  // phi'(step)
};

struct LineSearchOptions {
  double decrease = 1e-4;
  double curvature = 0.9;
  double max_step = std::numeric_limits<double>::infinity();
  int max_evaluations = 20;  // of finite values
  int max_cuts = 30;         // of the step where phi is not finite
  // Of the value, relative: near a minimum, where the decrease drowns in it, the second condition
  // decides (Hager and Zhang 2005).
  double rounding = std::numeric_limits<double>::epsilon();
};

// `phi` returns value and slope, NaN or infinite where there is none; `start` is its point at 0,
// of slope < 0; `first` is the step tried first. Returns the point found, which is where phi was
// called last. Where both conditions cannot be had, that is the lowest point that satisfies the
// first one, and where there is none, `start`, without another call.
LinePoint strong_wolfe(const std::function<LinePoint(double step)>& phi, const LinePoint& start,
                       double first, const LineSearchOptions& options = {});

}  // namespace blurfield
