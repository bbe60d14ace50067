// SPDX-License-Identifier: BSD-3-Clause
// The kernels that a level of a pyramid leaves to do for runs of pixels (ResidualPixel).
#pragma once

#include <algorithm>
#include <array>
#include <limits>

#include "blurfield/kernels/residual.h"

namespace blurfield::kernels {

// Numbers of a pyramid: a level of step D holds the image blurred by a variance of prefilter D^2,
// serves covariances of eigenvalues >= least D^2, and is read by Gaussians that end after `reach`
// sigmas. The image has D = 1 and is not blurred. No kernel may be longer than `longest` samples,
// no level coarser than `coarsest`.
struct ResidualRule {
  double prefilter = 0.0;
  double least = 0.0;
  double reach = 0.0;
  double longest = 0.0;
  double coarsest = 0.0;
};

// Steps of an octave, times powers of two: pixels stand at few places between a level's samples.
inline constexpr std::array kResidualSteps{1.0, 1.25, 1.625};

// Pixels x, x + 1, ... of row y of a plane, with log-Cholesky parameters of their own.
template <class T>
struct ResidualParams {
  static constexpr Index kMost = 48;
  Index count = 0;
  Index y = 0;
  Index x = 0;
  alignas(64) T a[kMost] = {};
  alignas(64) T b[kMost] = {};
  alignas(64) T c[kMost] = {};
};

// What kernels reach, in samples: rows low_y..high_y, columns low_x..high_x rounded outwards.
struct ResidualHull {
  double low_y = std::numeric_limits<double>::max();
  double low_x = std::numeric_limits<double>::max();
  double high_y = std::numeric_limits<double>::lowest();
  double high_x = std::numeric_limits<double>::lowest();
  double row_taps = 0.0;  // at most
  double taps = 0.0;      // of all

  void add(const ResidualHull& other) {
    low_y = std::min(low_y, other.low_y);
    low_x = std::min(low_x, other.low_x);
    high_y = std::max(high_y, other.high_y);
    high_x = std::max(high_x, other.high_x);
    row_taps = std::max(row_taps, other.row_taps);
    taps += other.taps;
  }
};

// What they read: ResidualPixel's numbers and more, pixel by pixel.
struct ResidualShapes {
  static constexpr Index kMost = 48;
  alignas(64) double inv_y[kMost];
  alignas(64) double inv_x[kMost];
  alignas(64) double slope[kMost];
  alignas(64) double y[kMost];
  alignas(64) double x[kMost];
  alignas(64) double first[kMost];
  alignas(64) double rows[kMost];
  alignas(64) double taps[kMost];
  alignas(64) double step[kMost];    // of the level, in pixels
  alignas(64) double half_x[kMost];  // how far columns lie from x at the most

  bool one_level = false;
  ResidualHull hull;  // of all, if they read one level
  // Sums of sqrt(Sigma_yy), sqrt(Sigma_xx) and their product, in pixels.
  double sigma_y = 0.0;
  double sigma_x = 0.0;
  double box = 0.0;

  ResidualHull hull_of(Index i) const {
    return {first[i],         x[i] - half_x[i], first[i] + rows[i] - 1.0,
            x[i] + half_x[i], taps[i],          rows[i] * taps[i]};
  }
  ResidualPixel pixel(Index i) const {
    return {inv_y[i],
            inv_x[i],
            slope[i],
            y[i],
            x[i],
            static_cast<Index>(first[i]),
            static_cast<Index>(rows[i]),
            static_cast<Index>(taps[i])};
  }
};

// Each reads the level of the largest step D that may serve it: T = Sigma / D^2 - prefilter I.
// False if one breaks the rule, or is not a number.
template <class T>
bool residual_shapes(const ResidualRule& rule, const ResidualParams<T>& params,
                     ResidualShapes& shapes);

}  // namespace blurfield::kernels
