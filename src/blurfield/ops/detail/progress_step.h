// SPDX-License-Identifier: BSD-3-Clause
// Progress of an operation that takes several steps.
#pragma once

#include "blurfield/base/parallel.h"

namespace blurfield::detail {

// How to run step i of `count` steps of equal cost.
inline Execution progress_step(const Execution& whole, std::size_t i, std::size_t count) {
  Execution step = whole;
  if (whole.progress && count > 1) {
    step.progress = [report = whole.progress, i, count](double done) {
      return report((static_cast<double>(i) + done) / static_cast<double>(count));
    };
  }
  return step;
}

}  // namespace blurfield::detail
