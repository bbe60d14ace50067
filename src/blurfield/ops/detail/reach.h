// SPDX-License-Identifier: BSD-3-Clause
// How far the kernels of an adaptive blur reach.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield::detail {

// The radius of a Gaussian of width sigma along axis 0 (y) or 1 (x): from the options, cut where
// weights fall below the smallest normal number and count as 0. A signal has no y.
struct RadiusRule {
  double truncate = 4.0;  // at most `reach`
  std::array<int, 2> fixed{-1, -1};
  double reach = 38.0;  // sigmas

  template <class T>
  static RadiusRule of(const BlurOptions& options, int spatial_rank) {
    const double reach = sizeof(T) == 4 ? 13.5 : 38.0;
    RadiusRule rule{std::min(resolve_truncate(options), reach), {-1, -1}, reach};
    if (!options.radius.empty()) rule.fixed = {options.radius.front(), options.radius.back()};
    if (spatial_rank == 1) rule.fixed[0] = 0;
    return rule;
  }
  bool same_on_both_axes() const { return fixed[0] == fixed[1]; }
  int operator()(int axis, double sigma) const {
    const int given = fixed[static_cast<std::size_t>(axis)];
    if (given < 0) return gaussian_radius(sigma, truncate);
    return static_cast<int>(std::min(static_cast<double>(given), reach * sigma + 1.0));
  }
};

// Radii (ry, rx) of a covariance: those of sqrt(Sigma_yy) and sqrt(Sigma_xx).
inline std::array<int, 2> logchol_radii(const RadiusRule& radius, double exp_a, double b,
                                        double exp_c) {
  return {radius(0, exp_a), radius(1, std::sqrt(b * b + exp_c * exp_c))};
}

// Consecutive pixels of an axis. Under Mode::wrap they may lie beyond 0..n-1 and mean i mod n.
struct Window {
  Index begin = 0;
  Index end = 0;
  Index size() const { return end - begin; }
};

// The pixels that kernels of this radius around first..last reach, copies folded onto the frame.
Window reach_window(Index first, Index last, Index radius, Index n, Mode mode);

// How far a walk over the sources of a band's rows has come at row y.
inline double done_of(Index y, const Window& band, Index radius) {
  const auto rows = static_cast<double>(band.size() + 2 * radius);
  return std::clamp(static_cast<double>(y - band.begin + radius) / rows, 0.0, 1.0);
}

// Whether sources of row y with this radius reach rows of the band.
bool reaches(Index y, Index radius, const Window& band, Index height, Mode mode);

}  // namespace blurfield::detail
