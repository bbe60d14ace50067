// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#ifndef BLURFIELD_THREADS_STD
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#endif

namespace blurfield {
namespace {

constexpr Index kSlice = Index{1} << 15;  // elements; a few microseconds of vector work

// Runs worker() on `threads` threads, the caller's among them.
void run_workers(int threads, const std::function<void()>& worker) {
  if (threads == 1) return worker();
#ifdef BLURFIELD_THREADS_STD
  std::vector<std::jthread> pool;
  for (int i = 1; i < threads; ++i) pool.emplace_back(worker);
  worker();
#else
  const auto run = [&] {
    tbb::parallel_for(
        0, threads, [&](int) { worker(); }, tbb::simple_partitioner{});
  };
  // The caller's own arena has its threads at hand; a new one wakes them, for tens of microseconds.
  if (threads >= tbb::this_task_arena::max_concurrency()) return tbb::this_task_arena::isolate(run);
  tbb::task_arena arena(threads);
  arena.execute(run);
#endif
}

}  // namespace

int thread_limit(const Execution& execution) {
  if (execution.threads > 0) return execution.threads;
  // The system's answer takes as long as a small blur.
  static const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return cores;
}

void parallel_tasks(Index count, const Execution& execution,
                    const std::function<void(Index, const Tick&)>& body) {
  std::atomic<Index> next{0};
  std::atomic<bool> stop{false};
  double done = 0.0;  // tasks; guarded by mutex
  std::exception_ptr failure;
  std::mutex mutex;
  const auto advance = [&](double by) {
    if (execution.progress) {
      const std::lock_guard lock(mutex);
      done += by;
      // Parts of tasks may sum up to a little less than the whole.
      const double share = done / static_cast<double>(count);
      const double fraction = share > 1.0 - 1e-9 ? 1.0 : share;
      if (!stop && !execution.progress(fraction)) stop = true;
    }
    if (stop) throw Cancelled("cancelled");
  };
  auto worker = [&] {
    while (!stop) {
      const Index i = next++;
      if (i >= count) return;
      try {
        double told = 0.0;
        const Tick tick = [&](double fraction) {
          advance(std::max(0.0, fraction - told));
          told = std::max(told, fraction);
        };
        body(i, tick);
        advance(1.0 - told);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        stop = true;
      }
    }
  };
  run_workers(static_cast<int>(std::min<Index>(thread_limit(execution), std::max<Index>(count, 1))),
              worker);
  if (failure) std::rethrow_exception(failure);
}

void parallel_for(Index count, const Execution& execution, const std::function<void(Index)>& body) {
  parallel_tasks(count, execution, [&](Index i, const Tick&) { body(i); });
}

void parallel_slices(Index count, int threads, const std::function<void(Index, Index)>& body) {
  if (count <= kSlice) {
    if (count > 0) body(0, count);
    return;
  }
  parallel_for((count + kSlice - 1) / kSlice, {threads, {}},
               [&](Index slice) { body(slice * kSlice, std::min(count, (slice + 1) * kSlice)); });
}

double parallel_sum(Index count, int threads, const std::function<double(Index, Index)>& part) {
  std::vector<double> sums(static_cast<std::size_t>((count + kSlice - 1) / kSlice));
  parallel_slices(count, threads, [&](Index begin, Index end) {
    sums[static_cast<std::size_t>(begin / kSlice)] = part(begin, end);
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

std::vector<Index> balanced_ranges(std::span<const double> costs, Index parts) {
  const auto count = static_cast<Index>(costs.size());
  const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
  std::vector<Index> ends;
  double sum = 0.0;
  for (Index i = 0; i < count; ++i) {
    sum += costs[static_cast<std::size_t>(i)];
    const double target = total * static_cast<double>(ends.size() + 1) /
                          static_cast<double>(std::max<Index>(parts, 1));
    if (sum >= target && i + 1 < count && static_cast<Index>(ends.size()) + 1 < parts) {
      ends.push_back(i + 1);
    }
  }
  if (count > 0) ends.push_back(count);
  return ends;
}

}  // namespace blurfield
