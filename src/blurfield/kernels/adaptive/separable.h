// SPDX-License-Identifier: BSD-3-Clause
// Inner loops of the adaptive isotropic and diagonal blur. The kernel of pixel p is a product of a
// y table and an x table; groups of up to four neighbours in a row are done together, as small
// matrix products in registers: T_p(c) = sum_k yw_p(k) rows_k(c), then sum_c xw_p(c) T_p(c).
#pragma once

#include "blurfield/kernels/adaptive/gaussian_tables.h"

namespace blurfield::kernels {

inline constexpr int kGroup = 4;

// `size` neighbours that share row slots k0..k1 and columns c0..c1 of the tile's rows. Entry j of
// their x tables belongs to column c0 + j; entry k of their y tables to slot k.
struct Group {
  Index first;
  int size;  // 1 or kGroup
  Index k0, k1;
  Index c0, c1;
};

template <class T>
struct Tile {
  const Group* groups;
  Index group_count;
  const T* yw;  // yw + i * y_stride: y table of pixel i
  const T* xw;
  const T* dyw;  // tables of the derivatives, or null
  const T* dxw;
  Index y_stride;
  Index x_stride;
};

// What gather_tile adds to, one entry per pixel of the tile; dy and dx only with derivative tables.
struct GatherSums {
  double* out;  // sum yw xw rows
  double* dy;   // sum dyw xw rows
  double* dx;   // sum yw dxw rows
};

// Slots slot0..slot1 of the row buffer stand in `rows` (slot0 first).
void gather_tile(const Tile<float>& tile, const float* rows, Index row_stride, Index slot0,
                 Index slot1, const GatherSums& sums);
void gather_tile(const Tile<double>& tile, const double* rows, Index row_stride, Index slot0,
                 Index slot1, const GatherSums& sums);

// The transpose: rows_k(c) += sum_i yw_i(k) (value_i xw_i(c) + along_x_i dxw_i(c))
//                               + dyw_i(k) along_y_i xw_i(c),
// the last two only where `along_y` is not null.
template <class T>
struct SpreadValues {
  const T* value;
  const T* along_y;
  const T* along_x;
};
void spread_tile(const Tile<float>& tile, const SpreadValues<float>& values, float* rows,
                 Index row_stride, Index slot0, Index slot1);
void spread_tile(const Tile<double>& tile, const SpreadValues<double>& values, double* rows,
                 Index row_stride, Index slot0, Index slot1);

// sum[j] = a[j] + b[j];  into[j] += a[j]: rows of n elements.
void add_rows(const float* a, const float* b, Index n, float* sum);
void add_rows(const double* a, const double* b, Index n, double* sum);
void accumulate_row(const float* a, Index n, float* into);
void accumulate_row(const double* a, Index n, double* into);

}  // namespace blurfield::kernels
