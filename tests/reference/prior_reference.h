// SPDX-License-Identifier: BSD-3-Clause
// Slow twin of deblur/prior.h: its formulas, pixel by pixel, in double.
#pragma once

#include "blurfield/deblur/prior.h"

namespace blurfield::test {

double prior_reference(const Image<double>& x, const PriorOptions& options, bool smoothed = true);

}  // namespace blurfield::test
