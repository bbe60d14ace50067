// SPDX-License-Identifier: BSD-3-Clause
// Sums over tasks that come out the same for any number of threads.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "blurfield/base/parallel.h"

namespace blurfield::detail {

// At most so many partial sums are kept, and doubles in them.
inline constexpr Index kPartialSums = 16;
inline constexpr Index kPartialSize = Index{1} << 24;

// total[i] += the sum over all tasks. add(task, sums) adds a task's share to `size` sums; tasks are
// dealt to a number of partial sums that depends on their count and size alone, each in order.
inline void sum_tasks(Index tasks, Index size, const Execution& execution, double* total,
                      const std::function<void(Index, double*)>& add) {
  const Index parts =
      std::min(tasks, std::clamp<Index>(kPartialSize / std::max<Index>(size, 1), 2, kPartialSums));
  std::vector<std::vector<double>> partial(static_cast<std::size_t>(parts));
  parallel_tasks(parts, execution, [&](Index part, const Tick& tick) {
    auto& sums = partial[static_cast<std::size_t>(part)];
    sums.assign(static_cast<std::size_t>(size), 0.0);
    const Index begin = part * tasks / parts;
    const Index end = (part + 1) * tasks / parts;
    for (Index task = begin; task < end; ++task) {
      add(task, sums.data());
      tick(static_cast<double>(task + 1 - begin) / static_cast<double>(end - begin));
    }
  });
  for (const auto& sums : partial) {
    for (std::size_t i = 0; i < sums.size(); ++i) total[i] += sums[i];
  }
}

}  // namespace blurfield::detail
