// SPDX-License-Identifier: BSD-3-Clause
// The adaptive blur by its definitions (B1), (B2), tap by tap, in double.
#pragma once

#include "blurfield/ops/adaptive_blur.h"

namespace blurfield::test {

Image<double> adaptive_blur_reference(const Image<double>& x, const Image<double>& field,
                                      const AdaptiveBlurOptions& options);

}  // namespace blurfield::test
