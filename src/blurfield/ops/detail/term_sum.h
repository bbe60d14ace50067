// SPDX-License-Identifier: BSD-3-Clause
// Sums of separable filters, out = sum_i H_i V_i x, on signals (N, C, L) and images (N, C, H, W),
// without an intermediate image: every task takes a block of rows through both passes in a buffer
// of its own. Results do not depend on the number of threads.
#pragma once

#include <span>
#include <vector>

#include "blurfield/ops/blur_options.h"
#include "blurfield/ops/detail/axis_filter.h"

namespace blurfield::detail {

struct Term {
  Taps vertical;    // along y; the identity for signals
  Taps horizontal;  // along x
  // What stands left and right of the frame in the second pass under Mode::constant: 0, or what
  // the first pass makes of cval.
  double side = 0.0;
};

struct TermSum {
  std::vector<Term> terms;
  Extension extension;
  bool transposed = false;  // the exact adjoint of the linear part
  Execution execution;
};

// out = sum (x), or out += sum (x) if `add`. Returns whether all of out is finite.
template <class T>
bool apply_terms(const TermSum& sum, const View<const T>& x, bool add, const View<T>& out);

// <cotangent, sum (x)>, accumulated in double.
template <class T>
double dot_terms(const TermSum& sum, const View<const T>& cotangent, const View<const T>& x);

}  // namespace blurfield::detail
