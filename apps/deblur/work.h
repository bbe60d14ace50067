// SPDX-License-Identifier: BSD-3-Clause
// The work of `blurfield deblur`, from files to files.
#pragma once

#include "apps/deblur/request.h"

namespace blurfield::app {

// Throws Error naming the file and the reason. Where a signal stopped the work, all files are
// written from the best scene so far, and Cancelled is thrown at the end.
void deblur_file(const DeblurRequest& request);

}  // namespace blurfield::app
