// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/base/parallel.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace blurfield {
namespace {

Execution on(int threads) {
  Execution execution;
  execution.threads = threads;
  return execution;
}

TEST(ThreadLimit, IsExplicitOrAllCores) {
  EXPECT_EQ(thread_limit(on(3)), 3);
  EXPECT_EQ(thread_limit(on(0)),
            std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
}

TEST(ParallelFor, RunsEveryIndexOnce) {
  for (const int threads : {1, 2, 7}) {
    for (const Index count : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      parallel_for(count, on(threads), [&](Index i) { ++runs[static_cast<std::size_t>(i)]; });
      for (const auto& run : runs) ASSERT_EQ(run, 1);
    }
  }
}

TEST(ParallelFor, KeepsToItsThreads) {
  for (const int threads : {1, 2, 3}) {
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    parallel_for(30, on(threads), [&](Index) {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --running;
    });
    EXPECT_LE(most, threads);
    EXPECT_GE(most, 1);
  }
}

TEST(ParallelFor, OneThreadIsTheCaller) {
  const auto caller = std::this_thread::get_id();
  parallel_for(10, on(1), [&](Index) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(ParallelFor, RethrowsAndStops) {
  for (const int threads : {1, 2}) {
    std::atomic<int> runs{0};
    try {
      parallel_for(100000, on(threads), [&](Index i) {
        ++runs;
        if (i == 5) throw std::out_of_range("five");
      });
      FAIL() << "no exception";
    } catch (const std::out_of_range& error) {
      EXPECT_STREQ(error.what(), "five");
    }
    EXPECT_LT(runs, 100000);
  }
}

TEST(ParallelFor, ReportsProgressInOrder) {
  for (const int threads : {1, 2}) {
    std::vector<double> seen;
    Execution execution = on(threads);
    execution.progress = [&](double fraction) {
      seen.push_back(fraction);
      return true;
    };
    parallel_for(50, execution, [](Index) {});
    ASSERT_FALSE(seen.empty());
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_GT(seen.front(), 0.0);
    EXPECT_EQ(seen.back(), 1.0);
  }
}

TEST(ParallelFor, ProgressCancels) {
  for (const int threads : {1, 2}) {
    std::atomic<int> runs{0};
    Execution execution = on(threads);
    execution.progress = [](double fraction) { return fraction < 0.1; };
    EXPECT_THROW(parallel_for(1000, execution, [&](Index) { ++runs; }), Cancelled);
    EXPECT_GE(runs, 100);
    EXPECT_LT(runs, 1000);
  }
}

TEST(ParallelFor, AnExceptionInProgressIsRethrown) {
  Execution execution = on(2);
  execution.progress = [](double) -> bool { throw std::out_of_range("progress"); };
  EXPECT_THROW(parallel_for(100, execution, [](Index) {}), std::out_of_range);
}

TEST(ParallelFor, Nests) {
  std::vector<std::atomic<int>> runs(20 * 30);
  parallel_for(20, on(2), [&](Index outer) {
    parallel_for(30, on(2),
                 [&](Index inner) { ++runs[static_cast<std::size_t>(outer * 30 + inner)]; });
  });
  for (const auto& run : runs) ASSERT_EQ(run, 1);
}

TEST(ParallelFor, ServesSeveralCallersAtOnce) {
  std::atomic<Index> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] { parallel_for(1000, on(2), [&](Index i) { sum += i; }); });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 499500);
}

TEST(BalancedRanges, SplitsKnownCosts) {
  const std::vector<double> even(8, 1.0);
  EXPECT_EQ(balanced_ranges(even, 4), (std::vector<Index>{2, 4, 6, 8}));
  EXPECT_EQ(balanced_ranges(even, 1), (std::vector<Index>{8}));
  const std::vector<double> heavy_end{1, 1, 1, 1, 4};
  EXPECT_EQ(balanced_ranges(heavy_end, 2), (std::vector<Index>{4, 5}));
  EXPECT_TRUE(balanced_ranges({}, 3).empty());
}

RC_GTEST_PROP(BalancedRangesProperty, CoversEverythingEvenly, ()) {
  const auto units =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000)));
  const auto parts = *rc::gen::inRange<Index>(1, 20);
  const std::vector<double> costs(units.begin(), units.end());
  const std::vector<Index> ends = balanced_ranges(costs, parts);
  RC_ASSERT(!ends.empty());
  RC_ASSERT(static_cast<Index>(ends.size()) <= parts);
  RC_ASSERT(ends.back() == static_cast<Index>(costs.size()));
  const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
  const double largest = *std::max_element(costs.begin(), costs.end());
  Index begin = 0;
  for (const Index end : ends) {
    RC_ASSERT(end > begin);
    const double cost = std::accumulate(costs.begin() + begin, costs.begin() + end, 0.0);
    RC_ASSERT(cost <= total / static_cast<double>(parts) + largest + 1e-9 * total);
    begin = end;
  }
}

TEST(ParallelTasks, TicksMoveProgressAndCancelWithinATask) {
  std::vector<double> seen;
  Execution execution;
  execution.threads = 1;
  execution.progress = [&](double fraction) {
    seen.push_back(fraction);
    return true;
  };
  parallel_tasks(2, execution, [](Index, const Tick& tick) {
    tick(0.25);
    tick(0.75);
  });
  EXPECT_EQ(seen, (std::vector<double>{0.125, 0.375, 0.5, 0.625, 0.875, 1.0}));
  int ticks = 0;
  execution.progress = [](double fraction) { return fraction < 0.2; };
  EXPECT_THROW(parallel_tasks(1, execution,
                              [&](Index, const Tick& tick) {
                                for (ticks = 0; ticks < 10; ++ticks) tick(0.1 * ticks);
                              }),
               Cancelled);
  EXPECT_EQ(ticks, 2);
}

}  // namespace
}  // namespace blurfield
