// SPDX-License-Identifier: BSD-3-Clause
// The page of `blurfield estimate --report`.
#pragma once

#include <string>

#include "apps/estimate/inputs.h"
#include "apps/estimate/summary.h"

namespace blurfield::app {

// Both images, what the blur found makes of the sharp one and what it leaves unexplained, the
// field, the confidence, the course of the search, and the numbers. `found.field` has the image's
// height and width, for every model.
template <class T>
std::string report_page(const EstimateRequest& request, const EstimateSummary& summary,
                        const ImagePair<T>& pair, const Estimate<T>& found);

}  // namespace blurfield::app
