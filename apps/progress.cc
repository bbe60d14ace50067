// SPDX-License-Identifier: BSD-3-Clause
#include "apps/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "blurfield/base/error.h"
#include "blurfield/io/picture.h"

namespace blurfield::app {
namespace {

volatile std::sig_atomic_t g_signal = 0;  // a handler can reach nothing but a global

constexpr std::chrono::milliseconds kPatience{500};
constexpr std::chrono::milliseconds kBetween{100};

}  // namespace

void cancel_on_signals() {
  const auto handler = [](int signal) {
    if (g_signal != 0) {  // asked twice: do not wait for the work to notice
      io::remove_temporary_files();
      _exit(128 + signal);
    }
    g_signal = signal;
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}

int cancelling_signal() { return g_signal; }

void throw_if_cancelled() {
  if (g_signal != 0) throw Cancelled("cancelled");
}

Progress::Progress(std::string label, bool quiet)
    : label_(std::move(label)),
      shown_(!quiet && isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

std::function<bool(double)> Progress::callback() {
  return [this](double fraction) {
    draw(fraction);
    return g_signal == 0;
  };
}

bool Progress::due() {
  if (!shown_) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now - start_ < kPatience || now - last_ < kBetween) return false;
  last_ = now;
  drawn_ = true;
  return true;
}

void Progress::tell(const std::string& note) {
  if (due()) std::fputs(fmt::format("\r\033[K{}: {}", label_, note).c_str(), stderr);
}

void Progress::draw(double fraction, const std::string& note) {
  if (!due()) return;
  constexpr int kWidth = 32;
  const double done = std::clamp(fraction, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(done * kWidth);
  const double elapsed = std::chrono::duration<double>(last_ - start_).count();
  const std::string left = note.empty() && done > 0.01
                               ? fmt::format("{:.0f} s left", elapsed * (1 - done) / done)
                               : note;
  const std::string bar =
      fmt::format("\r\033[K{} [{}{}] {:3.0f} %  {}", label_, std::string(full, '='),
                  std::string(kWidth - full, ' '), 100 * done, left);
  std::fputs(bar.c_str(), stderr);
}

}  // namespace blurfield::app
