// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/line_search.h"

#include <algorithm>
#include <cmath>

#include "blurfield/base/error.h"

namespace blurfield {
namespace {

// The minimum of the cubic through both points and slopes (Nocedal and Wright 2006, eq. 3.59);
// NaN where it has none.
double cubic_minimum(const LinePoint& a, const LinePoint& b) {
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), b.step - a.step);
  return b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
}

// Between the two points, not too close to either.
double inside(const LinePoint& low, const LinePoint& other) {
  const double width = other.step - low.step;
  const double share = (cubic_minimum(low, other) - low.step) / width;
  return low.step + width * (std::isnan(share) ? 0.5 : std::clamp(share, 0.02, 0.9));
}

// Beyond `last`, which still falls.
double outside(const LinePoint& before, const LinePoint& last) {
  const double width = last.step - before.step;
  const double share = (cubic_minimum(before, last) - last.step) / width;
  return last.step + width * (share > 0 ? std::clamp(share, 0.1, 9.0) : 4.0);
}

// What is known of the minimum: `low` is the lowest point that satisfies the first condition; the
// minimum lies between it and `other` once the bracket is closed, beyond it before.
struct Bracket {
  LinePoint low;
  double rounding;
  LinePoint other{};
  bool closed = false;
  LinePoint before = low;  // the `low` before this one
  double width = std::numeric_limits<double>::infinity();

  void add(const LinePoint& point, bool falls) {
    // Where the values differ by rounding only, the slopes tell.
    if (!falls || point.value > low.value + rounding * std::abs(low.value)) return close(point);
    if (point.slope * (point.step - low.step) >= 0) close(low);
    before = low;
    low = point;
  }
  double next() {
    if (!closed) return outside(before, low);
    const double was = width;
    width = std::abs(other.step - low.step);
    return width > 0.66 * was ? (low.step + other.step) / 2 : inside(low, other);
  }

 private:
  void close(const LinePoint& point) {
    other = point;
    closed = true;
  }
};

}  // namespace

LinePoint strong_wolfe(const std::function<LinePoint(double step)>& phi, const LinePoint& start,
                       double first, const LineSearchOptions& options) {
  require(start.slope < 0 && first > 0, "strong_wolfe",
          "expected a slope < 0 and a first step > 0, got ", start.slope, " and ", first);
  const double noise = options.rounding * std::abs(start.value);
  Bracket bracket{start, options.rounding};
  double limit = options.max_step;
  double step = std::min(first, limit);
  double called = 0.0;
  int cuts = 0;
  for (int evaluations = 0; evaluations < options.max_evaluations;) {
    const LinePoint point = phi(step);
    called = step;
    if (!std::isfinite(point.value) || !std::isfinite(point.slope)) {
      if (++cuts > options.max_cuts || (bracket.closed && bracket.low.step > 0)) break;
      bracket.closed = false;
      step = limit = bracket.low.step + (step - bracket.low.step) / 4;
      continue;
    }
    ++evaluations;
    const bool falls = point.value <= start.value + options.decrease * step * start.slope;
    const bool flat = std::abs(point.slope) <= options.curvature * std::abs(start.slope);
    if (flat && (falls || std::abs(point.value - start.value) <= noise)) return point;
    bracket.add(point, falls);
    step = std::min(bracket.next(), limit);
    if (!bracket.closed && step <= bracket.low.step) break;  // at the limit
  }
  if (bracket.low.step > 0 && called != bracket.low.step) return phi(bracket.low.step);
  return bracket.low;
}

}  // namespace blurfield
