// SPDX-License-Identifier: BSD-3-Clause
// What a blur did, or would do.
#pragma once

#include <cstddef>
#include <vector>

namespace blurfield {

struct BlurReport {
  // The parts of the pixels that each method computes; they add up to 1.
  double exact = 1.0;
  double stack = 0.0;
  double residual = 0.0;
  // Pixels between the samples of each level of the pyramid that is made, ascending; without 1, the
  // image itself.
  std::vector<double> steps;
  double nodes = 0.0;  // uniform blurs per tile of the stack, on average
  // Bound on sum_q |w'_p(q) - w_p(q)| over all p (BlurOptions::tolerance), w the untruncated
  // Gaussian. For exact blurs: what the truncation costs.
  double error_bound = 0.0;
  bool truncated = false;  // `truncate` or `radius` costs more than the tolerance: computed exactly
  std::size_t bytes = 0;   // beside image, field and result
  // One thread's time that the cost model expects, and what the exact blur would take.
  double seconds = 0.0;
  double exact_seconds = 0.0;
};

}  // namespace blurfield
