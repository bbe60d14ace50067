// SPDX-License-Identifier: BSD-3-Clause
// The work of an estimate, on checked inputs: start, noise, weight of the prior, field, confidence.
#pragma once

#include "blurfield/learn/estimate.h"

namespace blurfield::detail {

template <class T>
void run_estimation(const View<const T>& x, const View<const T>& y, const View<const T>& mask,
                    const View<const T>& start, const EstimateOptions& options,
                    Estimate<T>& result);

}  // namespace blurfield::detail
