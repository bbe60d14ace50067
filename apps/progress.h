// SPDX-License-Identifier: BSD-3-Clause
// The progress bar, and cancellation by SIGINT and SIGTERM.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace blurfield::app {

// From now on SIGINT and SIGTERM ask the running work to stop; the second one ends the process.
void cancel_on_signals();
// The signal that asked to stop, or 0.
int cancelling_signal();
// Throws Cancelled if a signal asked to stop.
void throw_if_cancelled();

// A bar on standard error, once the work has taken half a second; never off a terminal.
class Progress {
 public:
  explicit Progress(std::string label, bool quiet);
  ~Progress();  // erases the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // For Execution::progress; valid while this object lives.
  std::function<bool(double)> callback();

  // Draws the bar, if it is time to; `note` stands behind it in place of the time left.
  void draw(double fraction, const std::string& note = {});
  // The like for work whose length nobody knows: a note without a bar.
  void tell(const std::string& note);

 private:
  bool due();  // whether it is time to draw

  std::string label_;
  bool shown_;  // whether to draw at all
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace blurfield::app
