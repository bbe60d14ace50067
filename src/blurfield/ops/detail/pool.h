// SPDX-License-Identifier: BSD-3-Clause
// Workspaces that the tasks of one call hand on to each other: as many are made as tasks run at
// once.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace blurfield::detail {

template <class Workspace>
class Pool {
 public:
  // A workspace of one's own until the lease ends; its content is what the last holder left.
  class Lease {
   public:
    explicit Lease(Pool& pool) : pool_(pool), space_(pool.take()) {}
    ~Lease() { pool_.put_back(std::move(space_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Workspace& operator*() { return *space_; }
    Workspace* operator->() { return space_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<Workspace> space_;
  };

 private:
  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Workspace>();
    std::unique_ptr<Workspace> space = std::move(free_.back());
    free_.pop_back();
    return space;
  }
  void put_back(std::unique_ptr<Workspace> space) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(space));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace blurfield::detail
