// SPDX-License-Identifier: BSD-3-Clause
// The work of `blurfield estimate`, from files to files.
#pragma once

#include "apps/estimate/request.h"

namespace blurfield::app {

// Throws Error naming the file and the reason. Where a signal stopped the search, all files are
// written from the best field so far, and Cancelled is thrown at the end.
void estimate_files(const EstimateRequest& request);

}  // namespace blurfield::app
