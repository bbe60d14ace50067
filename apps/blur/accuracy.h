// SPDX-License-Identifier: BSD-3-Clause
// How accurate `blurfield blur` is: what was asked for, or what suits the image.
#pragma once

#include <string>

#include "apps/blur/request.h"
#include "blurfield/ops/blur_report.h"

namespace blurfield::app {

// The tolerance to plan with: the one asked for; else what 8-bit samples hide, and 0 for others.
double tolerance_to_plan(const BlurRequest& request, const io::Info& in);

// `plan` is what the blur would do with that tolerance.
Accuracy choose_accuracy(const BlurRequest& request, const io::Info& in, const BlurReport& plan);

// Throws Error for a blur that would take long, unless that is asked for. `taps` are the exact
// blur's multiply-adds, `plan` is that of `tolerance`.
void require_affordable(const BlurRequest& request, double taps, const BlurReport& plan,
                        double tolerance, int threads);

// "exact (why)", or "tolerance 0.001 (why): 93 % stack, 7 % exact, steps 2, 4, ..."
std::string accuracy_text(const Accuracy& accuracy, const BlurReport& report);

// "93 % stack, 7 % exact"
std::string methods_text(const BlurReport& report);
// "2, 4, 8", or "none"
std::string steps_text(const BlurReport& report);

}  // namespace blurfield::app
