// SPDX-License-Identifier: BSD-3-Clause
// Work that threads finish in any order but that must take effect in one: so that sums do not
// depend on the number of threads.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

#include "blurfield/base/view.h"

namespace blurfield::detail {

// commit(0), commit(1), ... run one at a time in this order, each as soon as those before it have
// come. Every index comes once, from tasks that are begun in ascending order.
class InOrder {
 public:
  // Waiting ones are kept, up to `kept` of them; who comes later waits.
  explicit InOrder(Index kept) : kept_(kept) {}

  void add(Index i, std::function<void()> commit);

  // A task has failed: nobody waits any more, and nothing is committed.
  void abandon();

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::map<Index, std::function<void()>> waiting_;
  Index next_ = 0;
  Index kept_;
  bool abandoned_ = false;
};

}  // namespace blurfield::detail
