// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/in_order.h"

#include <utility>

namespace blurfield::detail {

void InOrder::add(Index i, std::function<void()> commit) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] {
    return abandoned_ || i == next_ || static_cast<Index>(waiting_.size()) < kept_;
  });
  if (abandoned_) return;
  waiting_.emplace(i, std::move(commit));
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_;
       first = waiting_.begin()) {
    first->second();
    waiting_.erase(first);
    ++next_;
  }
  moved_.notify_all();
}

void InOrder::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  moved_.notify_all();
}

}  // namespace blurfield::detail
