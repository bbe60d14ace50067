// SPDX-License-Identifier: BSD-3-Clause
// Threads, progress and cancellation: always passed in, never global.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "blurfield/base/view.h"

namespace blurfield {

// How to run an operation.
struct Execution {
  int threads = 0;  // upper limit; 0 or less = all cores
  // Called now and then, never concurrently, with the fraction done in 0..1; returning false
  // cancels: the operation throws Cancelled and its outputs are unspecified.
  std::function<bool(double)> progress;
};

// The number of threads that `execution` allows here, >= 1.
int thread_limit(const Execution& execution);

// Tells how far a task has come, 0..1; throws Cancelled once the work has been cancelled.
using Tick = std::function<void(double)>;

// Runs body(i, tick) like parallel_for, for tasks so long that they report on the way.
void parallel_tasks(Index count, const Execution& execution,
                    const std::function<void(Index, const Tick&)>& body);

// Runs body(i) for i = 0..count-1, each once, in any order, on at most thread_limit threads.
// Tasks are handed out one by one, so uneven tasks balance. The first exception is rethrown.
void parallel_for(Index count, const Execution& execution, const std::function<void(Index)>& body);

// Runs body(begin, end) over fixed slices of 0..count; one slice of up to 2^15 runs in the caller.
void parallel_slices(Index count, int threads, const std::function<void(Index, Index)>& body);

// The sum of part(begin, end) over those slices, the same for any number of threads.
double parallel_sum(Index count, int threads, const std::function<double(Index, Index)>& part);

// Splits 0..costs.size() into at most `parts` consecutive ranges of about equal total cost;
// returns their ends (ascending; the last is costs.size()).
std::vector<Index> balanced_ranges(std::span<const double> costs, Index parts);

}  // namespace blurfield
