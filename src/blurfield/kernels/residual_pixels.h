// SPDX-License-Identifier: BSD-3-Clause
// The kernels that a level of a pyramid leaves to do for runs of pixels (ResidualPixel).
#pragma once

#include <array>

#include "blurfield/kernels/residual.h"

namespace blurfield::kernels {

// Numbers of a pyramid: a level of step D holds the image blurred by a variance of prefilter D^2,
// serves covariances of eigenvalues >= least D^2, and is read by Gaussians that end after `reach`
// sigmas. The image has D = 1 and is not blurred.
struct ResidualRule {
  double prefilter = 0.0;
  double least = 0.0;
  double reach = 0.0;
};

// Sites x, x + 1, ... of row y of a plane, with parameters (a, b, c) of their own.
struct ResidualParams {
  static constexpr Index kMost = 48;
  Index count = 0;
  Index y = 0;
  Index x = 0;
  alignas(64) double a[kMost] = {};
  alignas(64) double b[kMost] = {};
  alignas(64) double c[kMost] = {};
};

// Steps of an octave, times powers of two: pixels stand at few places between a level's samples.
inline constexpr std::array kResidualSteps{1.0, 1.25, 1.625};

// What they read, each from the level of the largest step D that may serve it:
// T = Sigma / D^2 - prefilter I. False if a kernel is longer than `longest` samples, its level
// coarser than `coarsest`, or either is not a number; then pixels hold no kernels.
bool residual_pixels(const ResidualRule& rule, const ResidualParams& sites, double longest,
                     double coarsest, ResidualPixel* pixels);

}  // namespace blurfield::kernels
