// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/detail/line.h"

#include <cmath>

#include "blurfield/optim/line_search.h"

namespace blurfield::detail {
namespace {

constexpr double kDecrease = 1e-4;  // of Armijo's condition

// trial = x + step direction, kept in the box; returns gradient . (trial - x).
template <class T>
double move(Run<T>& run, const T* direction, double step) {
  const T* x = run.x().data();
  const T* g = run.gradient().data();
  return sum(run.size(), run.threads(),
             [=, to = run.trial().data(), box = run.box(), t = static_cast<T>(step)](Index i) {
               to[i] = box.clamp(i, x[i] + t * direction[i]);
               return static_cast<double>(g[i]) * (static_cast<double>(to[i]) - x[i]);
             });
}

bool descends(double slope) { return slope < 0 && std::isfinite(slope); }

template <class T>
bool search_wolfe(Run<T>& run, const T* direction, double slope, double first, double max_step) {
  if (!descends(slope)) return false;
  LineSearchOptions options;
  options.decrease = kDecrease;
  options.max_step = max_step;
  options.rounding = 10 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const auto phi = [&](double step) -> LinePoint {
    move(run, direction, step);
    if (!run.evaluate()) return {step, std::numeric_limits<double>::quiet_NaN(), 0.0};
    return {step, run.trial_value(),
            dot<T>(run.trial_gradient(), {direction, run.size()}, run.threads())};
  };
  return strong_wolfe(phi, {0.0, run.value(), slope}, first, options).step > 0 &&
         run.trial_step() > 0;
}

template <class T>
bool search_projected(Run<T>& run, const T* direction, double first) {
  constexpr int kCuts = 40;
  double step = first;
  for (int cut = 0; cut < kCuts; ++cut) {
    const double predicted = move(run, direction, step);
    double factor = 0.25;
    // Far along the path the slope may turn upwards: the bounds bend it.
    if (predicted < 0 && run.evaluate()) {
      const double change = run.trial_value() - run.value();
      if (change <= kDecrease * predicted) return true;
      // The minimum of the parabola through both values and the slope.
      factor = std::clamp(predicted / (2 * (predicted - change)), 0.1, 0.5);
    }
    step *= factor;
  }
  return false;
}

}  // namespace

template <class T>
bool search_line(Run<T>& run, const T* direction, double slope, double first) {
  return search_wolfe(run, direction, slope, first, std::numeric_limits<double>::infinity());
}

template <class T>
bool search_box(Run<T>& run, const T* direction, double slope, double first) {
  if (!descends(slope)) return false;
  const T* x = run.x().data();
  const double nearest = largest(run.size(), run.threads(), [=, box = run.box()](Index i) {
    return 1 / box.room(i, x[i], direction[i]);
  });
  if (first * nearest < 1) return search_wolfe(run, direction, slope, first, 1 / nearest);
  return search_projected(run, direction, first);
}

template bool search_line(Run<float>&, const float*, double, double);
template bool search_line(Run<double>&, const double*, double, double);
template bool search_box(Run<float>&, const float*, double, double);
template bool search_box(Run<double>&, const double*, double, double);

}  // namespace blurfield::detail
