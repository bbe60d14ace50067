// SPDX-License-Identifier: BSD-3-Clause
// What every blur takes beside its image and its Gaussian.
#pragma once

#include <optional>
#include <vector>

#include "blurfield/base/extension.h"
#include "blurfield/base/parallel.h"

namespace blurfield {

// How a blur with a tolerance is computed (docs/math.md, "Tolerance").
enum class BlurMethod {
  automatic,  // tile by tile the cheapest of those below that meets the tolerance
  exact,      // every pixel's own taps, up to a radius that the tolerance allows
  stack,      // interpolated between a few blurs of a pyramid: sigma, or one per axis
  residual,   // a small kernel on a level of a pyramid: logchol
};

struct BlurOptions {
  Extension extension;  // what stands beyond the border
  // Radius r(sigma) = max(1, floor(truncate * sigma + 1/2)) pixels. Unset: 4, or with a tolerance
  // what that allows.
  std::optional<double> truncate;
  // Overrides `truncate`: empty, one radius for all axes, or one per spatial axis, (ry, rx).
  std::vector<int> radius;
  // 0: exact, the sums over all taps within the radius. Else a bound, below 1, on the sum over q of
  // |w'_p(q) - w_p(q)| at every pixel p, where w is the untruncated Gaussian, sampled and
  // normalised, and w' what is computed. A gather of an image within -1..1 is off by no more; of a
  // scatter p is each source of the extended plane: the errors of several may meet in one pixel,
  // those of all copies of a border pixel under Mode::nearest among them. Where `truncate`
  // or `radius` is set and costs more than this, the truncated Gaussian is what is wanted, and
  // computed exactly. The rounding of T comes on top; below 8e-6 (float) or 1e-12 (double) a
  // tolerance means exact, with a radius to match.
  double tolerance = 0.0;
  BlurMethod method = BlurMethod::automatic;  // of a blur with a tolerance
  Execution execution;
};

inline constexpr double kDefaultTruncate = 4.0;

}  // namespace blurfield
