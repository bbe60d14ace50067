// SPDX-License-Identifier: BSD-3-Clause
// Splits a 2-D kernel into a short sum of separable terms.
#pragma once

#include "blurfield/ops/detail/term_sum.h"
#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield::detail {

// Terms whose sum differs from the kernel by at most tolerance * sum |taps|, summed over all taps;
// the kernel's own rows or columns, one term each, where these are cheaper. `cval` stands beyond
// the frame of the image that is filtered.
std::vector<Term> split_kernel(const Kernel2d& kernel, double tolerance, double cval);

// Taps per pixel that a list of terms costs.
double term_taps(const std::vector<Term>& terms);

}  // namespace blurfield::detail
