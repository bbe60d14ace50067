// SPDX-License-Identifier: BSD-3-Clause
// Inner loops of Gaussians of any covariance that stand between the samples of a level of a
// pyramid:
//   g(row, column) = exp(-(z1^2 + z2^2) / 2), z1 = inv_y dy, z2 = inv_x (dx - slope dy),
// dy, dx from the pixel to the sample. A row's taps are those nearest to its centre dx = slope dy.
// From row to row a kernel's weights follow from one another: with u from the middle of the taps
// and delta from there to the centre, |delta| <= 1/2, g = h_k(u) exp(-(z1^2 + inv_x^2 delta^2) /
// 2), h_k(u) = exp(-inv_x^2 u (u - 2 delta) / 2), and h_(k+1)(u) / h_k(u) is one of two sequences
// in u, as slope moves delta on by its fraction or by its fraction less 1.
#pragma once

#include "blurfield/kernels/adaptive/full.h"

namespace blurfield::kernels {

// Elements after the last tap of every row that must be readable, finite, and of no other thread:
// a vector's at most.
inline constexpr Index kResidualPad = 16;

struct ResidualPixel {
  double inv_y = 1.0;
  double inv_x = 1.0;
  double slope = 0.0;
  double y = 0.0;  // the pixel, in samples of its level
  double x = 0.0;
  Index first = 0;  // row
  Index rows = 0;
  Index taps = 0;  // of every row; odd if inv_x > 1
};

// Samples of a level from row `top` and column `left` on.
template <class T>
struct ResidualBlock {
  T* plane[kMaxPlanes] = {};
  int planes = 0;  // 0..kMaxPlanes
  Index stride = 0;
  Index top = 0;
  Index left = 0;
};

// Elements of scratch for kernels of up to so many taps.
inline Index residual_scratch(Index taps) { return 4 * (taps + kResidualPad); }

// norm[i] = sum g, value[c * count + i] = sum g plane_c; planes 0, 1 or 3.
template <class T>
void residual_values(const ResidualPixel* pixels, Index count, const ResidualBlock<const T>& block,
                     T* scratch, double* norm, double* value);

// moments[i] = sums, the image being sum_c coef[c * count + i] plane_c; planes 0, 1 or 3.
template <class T>
void residual_moments(const ResidualPixel* pixels, Index count, const ResidualBlock<const T>& block,
                      T* scratch, const T* coef, FullMoments* moments);

// plane_c += sum_i g (value[c * count + i] + along[c * count + i] polynomial_i); along may be null,
// and polynomials then. Planes 1 or 3.
template <class T>
void residual_spread(const ResidualPixel* pixels, const FullPolynomial* polynomials, Index count,
                     const ResidualBlock<T>& block, T* scratch, const T* value, const T* along);

}  // namespace blurfield::kernels
