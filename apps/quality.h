// SPDX-License-Identifier: BSD-3-Clause
// How far two images differ.
#pragma once

#include <optional>

#include "apps/pixels.h"
#include "blurfield/base/parallel.h"

namespace blurfield::app {

struct Quality {
  double rms = 0;
  double psnr = 0;             // dB, 20 log10(data_range / rms); infinite for equal images
  std::optional<double> ssim;  // none for images smaller than the 11 x 11 window
  double max_error = 0;
  Place max_place{};  // the first pixel with that error
};

// Throws Error unless both have one shape (N, C, H, W). `data_range` > 0 is the greatest possible
// difference of two pixels. SSIM is the mean over pixels and channels of Wang, Bovik, Sheikh and
// Simoncelli (2004): Gaussian window 11 x 11 of sigma 1.5, K1 = 0.01, K2 = 0.03, without the
// 5 pixels at the border, where the window leaves the image; it is the dear part, and can be left
// out.
Quality measure_quality(const View<const double>& a, const View<const double>& b, double data_range,
                        const Execution& execution, bool with_ssim = true);

}  // namespace blurfield::app
