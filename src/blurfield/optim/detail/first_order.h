// SPDX-License-Identifier: BSD-3-Clause
// The loop of the optimisers that step by an update of x from each gradient, without a search.
#pragma once

#include "blurfield/optim/detail/run.h"

namespace blurfield::detail {

struct UpdateStep {
  int t = 0;          // 1, 2, ...
  double kept = 1.0;  // of the step before: its momentum shrinks with it
};

// next[i] from x[i], gradient[i] and the optimiser's own state, for i = begin..end-1.
template <class T>
using Update = std::function<void(const UpdateStep& step, Index begin, Index end, const T* x,
                                  const T* gradient, T* next)>;

// Throws Error unless rate > 0, 0 <= betas < 1 and epsilon > 0.
void check_moments(const char* name, double rate, const std::array<double, 2>& betas,
                   double epsilon);

// Runs the updates, each one threaded pass over memory. Where the objective is not finite after
// one, x moves half as far, up to 30 times.
template <class T>
MinimiseResult descend(Run<T>& run, const Update<T>& update);

}  // namespace blurfield::detail
