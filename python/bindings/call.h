// SPDX-License-Identifier: BSD-3-Clause
// A call of the library from Python: without the GIL, with the package's number of threads, with
// progress, and ended by Ctrl-C.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <exception>
#include <thread>

#include "blurfield/base/parallel.h"
#include "python/bindings/arrays.h"

namespace blurfield::python {

// Threads that calls may use; 0: all cores.
int num_threads();
void set_num_threads(int threads);

class Call {
 public:
  // `progress`: None, or a callable that is given the fraction done; False stops the work.
  explicit Call(py::object progress);

  const Execution& execution() const { return execution_; }
  // For callbacks of one's own: looks for Ctrl-C, tells the fraction, and says whether to go on.
  bool go_on(double fraction);

  // Hands what `tell` makes, with the GIL, to a callback; its word on going on. None goes on.
  template <class Tell>
  bool ask(const py::object& callback, const Tell& tell) {
    if (callback.is_none()) return true;
    const py::gil_scoped_acquire acquire;
    try {
      return !callback(tell()).is(py::handle(Py_False));
    } catch (...) {
      raised_ = std::current_exception();
      return false;
    }
  }

  // body(call) without the GIL. Throws what a signal handler or `progress` raised.
  template <class F>
  static void run(const py::object& progress, const F& body) {
    Call call(progress);
    try {
      const py::gil_scoped_release release;
      body(call);
    } catch (const Cancelled&) {
      if (!call.raised_) throw;
    }
    if (call.raised_) std::rethrow_exception(call.raised_);
  }

 private:
  py::object progress_;
  std::thread::id caller_;
  std::chrono::steady_clock::time_point told_;
  Execution execution_;
  std::exception_ptr raised_;
};

// Runs body(T{}, call) with the element type of the first array.
template <class F>
void typed(const Array& first, const py::object& progress, const F& body) {
  Call::run(progress, [&](Call& call) { by_type(first, [&](auto type) { body(type, call); }); });
}

}  // namespace blurfield::python
