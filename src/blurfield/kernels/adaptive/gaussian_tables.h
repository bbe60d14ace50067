// SPDX-License-Identifier: BSD-3-Clause
// Sampled 1-D Gaussians (G1) and their derivatives by sigma (G2), one per pixel of a run.
#pragma once

#include <cstddef>

namespace blurfield::kernels {

using Index = std::ptrdiff_t;

// Tables and rows are readable, and finite, up to the next multiple of kPad elements.
inline constexpr Index kPad = 16;
inline constexpr Index padded(Index n) { return (n + kPad - 1) / kPad * kPad; }

// Where one pixel's table is placed by mirror_tables: out[j] = half[|j - centre|], 0 beyond the
// radius, for 0 <= j < length.
struct Placement {
  Index centre;
  Index radius;
  Index length;
};

// Half tables of `count` pixels (G1, G2): w[i * stride + k] for 0 <= k <= radius[i], zero up to
// extent[i] rounded up to kPad; dw likewise unless null. Sums run in double.
void half_tables(const double* sigma, const int* radius, const Index* extent, Index count, float* w,
                 float* dw, Index stride);
void half_tables(const double* sigma, const int* radius, const Index* extent, Index count,
                 double* w, double* dw, Index stride);

// Half tables to full ones, zero up to length + kPad. `out` needs kPad writable elements before
// each table and a stride of at least length + 2 kPad.
void mirror_tables(const float* half, Index half_stride, const Placement* placement, Index count,
                   float* out, Index out_stride);
void mirror_tables(const double* half, Index half_stride, const Placement* placement, Index count,
                   double* out, Index out_stride);

}  // namespace blurfield::kernels
