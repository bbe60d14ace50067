// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/accuracy.h"

#include <fmt/format.h>

#include <algorithm>

#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

using report::number;

// Beyond this many multiply-adds a job needs --force-slow.
constexpr double kSlow = 2e13;
// A cautious speed of one core, multiply-adds per second, for the estimate in that message.
constexpr double kSpeed = 1.5e10;

}  // namespace

double tolerance_to_plan(const BlurRequest& request, const io::Info& in) {
  if (request.gaussian.tolerance) return *request.gaussian.tolerance;
  // What 8 bits would hide shows in an output of more.
  if (!request.bit_depth.empty() && request.bit_depth != "8") return 0;
  // Weights divide what was blurred, and where little is in reach they would multiply its error.
  return request.mask.empty() ? hidden_tolerance(in, request.linear_light) : 0;
}

Accuracy choose_accuracy(const BlurRequest& request, const io::Info& in, const BlurReport& plan) {
  if (request.gaussian.tolerance) {
    const double asked = *request.gaussian.tolerance;
    const bool cut = asked > 0 && plan.truncated;
    return {asked, cut ? "--truncate or --radius costs more than the tolerance" : "asked for"};
  }
  if (in.sample == io::Sample::u8 && !request.mask.empty()) {
    return {0, "--mask; --tolerance E is faster"};
  }
  return hidden_if_worthwhile(tolerance_to_plan(request, in), in, plan);
}

void require_affordable(const BlurRequest& request, double taps, const BlurReport& plan,
                        double tolerance, int threads) {
  const double work = tolerance > 0 ? std::min(taps, plan.seconds * kSpeed) : taps;
  if (work <= kSlow || request.force_slow) return;
  const double minutes = work / (kSpeed * threads) / 60;
  throw Error(
      fmt::format("{}: estimated {:.2g} multiply-adds, about {:.0f} minutes on {} thread{}, "
                  "exceed the limit of {:.2g} ({}--force-slow runs it)",
                  request.in, work, minutes, threads, threads == 1 ? "" : "s", kSlow,
                  tolerance > 0 ? "" : "--tolerance 1e-3 is faster; "));
}

std::string methods_text(const BlurReport& report) {
  std::string text;
  const auto add = [&](double part, const char* method) {
    if (part <= 0) return;
    const std::string share = part < 0.01    ? "under 1 % "
                              : part > 0.995 ? ""
                                             : fmt::format("{:.0f} % ", 100 * part);
    text += (text.empty() ? "" : ", ") + share + method;
  };
  add(report.stack, "stack");
  add(report.residual, "residual");
  add(report.exact, "exact");
  return text;
}

std::string steps_text(const BlurReport& report) {
  std::string text;
  for (const double step : report.steps) text += (text.empty() ? "" : ", ") + number(step);
  return text.empty() ? "none" : text;
}

std::string accuracy_text(const Accuracy& accuracy, const BlurReport& report) {
  if (accuracy.tolerance == 0) return fmt::format("exact ({})", accuracy.why);
  std::string text = fmt::format("tolerance {} ({}): {}", number(accuracy.tolerance), accuracy.why,
                                 methods_text(report));
  if (!report.steps.empty()) text += "; levels of step " + steps_text(report);
  if (report.stack > 0) text += fmt::format("; {:.1f} blurs per tile", report.nodes);
  return text + fmt::format("; weights off by at most {}", number(report.error_bound, 2));
}

}  // namespace blurfield::app
