// SPDX-License-Identifier: BSD-3-Clause
// The work of `blurfield blur`, from file to file.
#pragma once

#include "apps/blur/request.h"

namespace blurfield::app {

// Bytes for pixels beyond which an image is worked on in bands of rows, unless --memory says more.
inline constexpr double kUsualMemory = 1e9;

// Throws Error naming the file and the reason.
void blur_file(const BlurRequest& request);

}  // namespace blurfield::app
