// SPDX-License-Identifier: BSD-3-Clause
// `blurfield blur` of an image that fits in memory.
#pragma once

#include "apps/blur/summary.h"

namespace blurfield::app {

// Bytes that it would need.
double bytes_in_memory(const BlurRequest& request, const io::Info& in);

// Loads, blurs and saves, and fills in the summary of what was done. Throws Error.
template <class T>
void blur_whole(const BlurRequest& request, const io::SaveOptions& saving, BlurSummary& summary);

}  // namespace blurfield::app
