// SPDX-License-Identifier: BSD-3-Clause
// Inner loops of the adaptive blur with full covariances (G5). Weights
//   g(dy, dx) = exp(-(z1^2 + z2^2) / 2), z1 = e^-a dy, z2 = e^-c (dx - m dy), m = b e^-a,
// are made in registers, once for the pair (dy, dx), (-dy, -dx) and for all planes, and never
// stored. Weights below 2^-50 (float) or 2^-80 (double) of the centre's are left out: together they
// are below rounding.
#pragma once

#include <cstddef>

namespace blurfield::kernels {

using Index = std::ptrdiff_t;

// Elements before and after every row that must be readable, and finite.
inline constexpr Index kMargin = 16;
// Planes (channels) that share one evaluation of the weights.
inline constexpr int kMaxPlanes = 3;

struct FullPixel {
  double inv_a = 1.0;  // e^-a, the inverse width of z1
  double inv_c = 1.0;  // e^-c
  double slope = 0.0;  // m
  Index ry = 0;
  Index rx = 0;
  Index column = 0;  // of the pixel in the packed rows
};

// Packed rows of a tile for k0 <= |dy| < k1: row y - k at plane[c] + 2 (k - k0) stride, row y + k
// one stride further.
template <class T>
struct FullRows {
  T* plane[kMaxPlanes] = {};
  int planes = 0;  // 0..kMaxPlanes
  Index stride = 0;
  Index k0 = 0;
  Index k1 = 0;
};

// Sums over the kernel: {g, g z1^2, g z1 z2, g z2^2} by themselves and times the image.
struct FullMoments {
  double norm[4] = {};
  double value[4] = {};
};

// What multiplies g: one + z1sq z1^2 + z1z2 z1 z2 + z2sq z2^2.
struct FullPolynomial {
  double one = 1.0;
  double z1sq = 0.0;
  double z1z2 = 0.0;
  double z2sq = 0.0;
};

// norm[i] += sum g, value[c * count + i] += sum g plane_c; planes 0, 1 or 3.
void full_values(const FullPixel* pixels, Index count, const FullRows<const float>& rows,
                 double* norm, double* value);
void full_values(const FullPixel* pixels, Index count, const FullRows<const double>& rows,
                 double* norm, double* value);

// value[c * count + i] += sum g polynomial_i plane_c.
void full_polynomials(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,
                      const FullRows<const float>& rows, double* value);
void full_polynomials(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,
                      const FullRows<const double>& rows, double* value);

// moments[i] += sums, the image being sum_c coef[c * count + i] plane_c.
void full_moments(const FullPixel* pixels, Index count, const FullRows<const float>& rows,
                  const float* coef, FullMoments* moments);
void full_moments(const FullPixel* pixels, Index count, const FullRows<const double>& rows,
                  const double* coef, FullMoments* moments);

// plane_c += sum_i g (value[c * count + i] + along[c * count + i] polynomial_i); along may be null.
void full_spread(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,
                 const FullRows<float>& rows, const float* value, const float* along);
void full_spread(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,
                 const FullRows<double>& rows, const double* value, const double* along);

// Elements that full_spread_once wants for the weights of one of its pixels.
inline Index full_kept_size(Index max_ry, Index max_rx) {
  return (max_ry + 1) * (2 * max_rx + 1 + kMargin);
}

// For kernels that src and out hold whole (k0 = 0, k1 > ry): plane_c of out += sum_i w_i
// value[c * count + i], w = g / sum g. Weights are made once, kept in `kept`, and serve moments and
// spread. Moments are added to as by full_moments with value as coef; src has as many planes as
// out, or none.
void full_spread_once(const FullPixel* pixels, Index count, const FullRows<const float>& src,
                      const FullRows<float>& out, const float* value, FullMoments* moments,
                      float* kept);
void full_spread_once(const FullPixel* pixels, Index count, const FullRows<const double>& src,
                      const FullRows<double>& out, const double* value, FullMoments* moments,
                      double* kept);

}  // namespace blurfield::kernels
