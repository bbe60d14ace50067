// SPDX-License-Identifier: BSD-3-Clause
// What every optimiser takes and gives. An optimiser is a function
//   MinimiseResult adamax(const Objective<T>& objective, std::span<T> x, const AdamaxOptions<T>&)
// that moves x, a flat vector of parameters, from its start to where it stopped.
//
// All throw Error for options out of range, sizes that do not match, and an objective that is not
// finite at the start or remains so however short the step; x then holds the last good point. A
// Cancelled thrown by the objective ends the work as if the callback had asked for it.
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <string_view>

#include "blurfield/base/parallel.h"

namespace blurfield {

template <class T>
struct Objective {
  // The value at x; fills `gradient` unless that is empty. NaN or infinity where there is none.
  std::function<double(std::span<const T> x, std::span<T> gradient)> evaluate;
  // product = H(x) v, the exact Hessian times v; for newton_cg only. Called for several v at one x,
  // after evaluate(x, gradient).
  std::function<void(std::span<const T> x, std::span<const T> v, std::span<T> product)>
      hessian_product;
};

// lower[i] <= x[i] <= upper[i]; a span of one element bounds all alike, an empty one does not
// bound. x is moved into the box first.
template <class T>
struct Bounds {
  std::span<const T> lower;
  std::span<const T> upper;
};

template <class T>
struct Iterate {
  int iteration = 0;  // 0 is the start
  double value = 0.0;
  double gradient_norm = 0.0;  // max |g_i|, of what the bounds leave free
  double step = 0.0;           // |x - x of the iteration before|, Euclidean
  double seconds = 0.0;        // since the start
  std::span<const T> x;
};

template <class T>
struct MinimiseOptions {
  int max_iterations = 100;
  double gradient_tolerance = 0.0;  // stops where gradient_norm <= this
  // Stops where the value changed by no more than this times its own size; 0: never.
  double change_tolerance = 0.0;
  double max_seconds = std::numeric_limits<double>::infinity();
  // After each iteration, and once for the start; returning false cancels.
  std::function<bool(const Iterate<T>&)> callback;
  int threads = 0;  // upper limit for vector work, 0 = all cores
};

enum class Stop {
  gradient,    // gradient_norm <= gradient_tolerance
  change,      // relative change <= change_tolerance
  iterations,  // max_iterations
  time,        // max_seconds
  cancelled,   // by the callback, or Cancelled from the objective
  no_descent,  // no shorter step lowers the value: rounding is all that is left
};

std::string_view stop_name(Stop stop);

struct MinimiseResult {
  Stop stop = Stop::iterations;
  int iterations = 0;
  int evaluations = 0;  // of the objective, with or without gradient
  int products = 0;     // Hessian or curvature products
  double value = 0.0;   // at the x returned
  double gradient_norm = 0.0;
  double seconds = 0.0;
};

}  // namespace blurfield
