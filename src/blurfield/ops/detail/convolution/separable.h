// SPDX-License-Identifier: BSD-3-Clause
// Kernels as sums of separable terms.
#pragma once

#include <vector>

#include "blurfield/ops/detail/convolution/correlation.h"

namespace blurfield::detail {

// kernel(i, j) = sum_r column[r][i] row[r][j], but for a residual below rounding.
struct SeparableKernel {
  Index rank = 0;
  std::vector<double> columns;  // (rank, kh)
  std::vector<double> rows;     // (rank, kw)
};

// By singular values: as few terms as leave a residual (Frobenius norm) of at most T's epsilon
// times the kernel's. At least one, of zeros for a kernel of zeros. `taps` is (kh, kw), packed.
template <class T>
SeparableKernel separate(const T* taps, Index kh, Index kw);

// Whether a sum of at most `most` terms would do, in less time than singular values take: rank
// tells how many there are, most + 1 means more.
template <class T>
Index rank_up_to(const T* taps, Index kh, Index kw, Index most);

// The most terms of any of the job's kernels.
template <class T>
int separable_rank(const Correlation<T>& job);

}  // namespace blurfield::detail
