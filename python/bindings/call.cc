// SPDX-License-Identifier: BSD-3-Clause
#include "python/bindings/call.h"

#include <atomic>
#include <utility>

namespace blurfield::python {
namespace {

constexpr std::chrono::milliseconds kBetween{30};  // looks for signals, words of progress

std::atomic<int>& limit() {
  static std::atomic<int> threads{0};
  return threads;
}

}  // namespace

int num_threads() { return thread_limit({limit(), {}}); }
void set_num_threads(int threads) { limit() = threads; }

Call::Call(py::object progress)
    : progress_(std::move(progress)),
      caller_(std::this_thread::get_id()),
      told_(std::chrono::steady_clock::now()) {
  execution_.threads = limit();
  execution_.progress = [this](double fraction) { return go_on(fraction); };
}

// Callbacks come one at a time, from any of the threads that work.
bool Call::go_on(double fraction) {
  if (raised_) return false;
  const bool caller = std::this_thread::get_id() == caller_;
  // Only Python's own threads can run signal handlers.
  if (!caller && progress_.is_none()) return true;
  const auto now = std::chrono::steady_clock::now();
  if (now - told_ < kBetween && fraction < 1.0) return true;
  if (now - told_ < kBetween && progress_.is_none()) return true;
  told_ = now;
  const py::gil_scoped_acquire acquire;
  try {
    if (caller && PyErr_CheckSignals() != 0) throw py::error_already_set();
    return progress_.is_none() || !progress_(fraction).is(py::handle(Py_False));
  } catch (...) {
    raised_ = std::current_exception();
    return false;
  }
}

}  // namespace blurfield::python
