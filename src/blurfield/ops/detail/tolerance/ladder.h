// SPDX-License-Identifier: BSD-3-Clause
// How a tolerance is spent: the numbers behind a pyramid of blurred, thinned out images and the
// Gaussians that read them.
//
// A level of step D holds, every D pixels, the image blurred by a Gaussian of variance A D^2 that
// ends after `prefilter_reach` sigmas. A blur of variance s^2 >= least * D^2 is read from it by
// Gaussian taps of variance s^2 / D^2 - A (in steps), which end after `reach` sigmas and are
// normalised. Level 1 is the image: A = 0 there, any s^2.
#pragma once

namespace blurfield::detail {

// Below this tolerance the rounding of T is all that would be left of it.
template <class T>
inline constexpr double kFinestTolerance = sizeof(T) == 4 ? 8e-6 : 1e-12;

struct Ladder {
  explicit Ladder(double tolerance);

  double prefilter;        // A
  double least;            // s^2 / D^2 from which on a level may serve
  double reach;            // sigmas
  double prefilter_reach;  // sigmas
  double interpolation;    // what interpolation between nodes may cost, of the tolerance's norm
  double spent;            // bound on what aliasing and truncation cost together

  // The largest power of two that may serve a blur of width sigma, 1 if none.
  double step(double sigma) const;
  // The same with the numbers halfway, 1.5 * 2^i, among them.
  double fine_step(double sigma) const;
  // Variance, in steps^2, that is left to do on a level.
  double residual(double variance, double step) const {
    return variance / (step * step) - (step == 1.0 ? 0.0 : prefilter);
  }
};

// Sigmas after which a Gaussian on two axes may end, normalised, so that its truncation costs at
// most `share`: 4 erfc(t / sqrt 2) <= share.
double truncation_for(double share);

}  // namespace blurfield::detail
