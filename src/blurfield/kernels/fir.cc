// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/fir.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/fir.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "blurfield/kernels/row_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

constexpr int kRows = static_cast<int>(kFirRows);

template <int kFirst, int kLast, int kCols, class T>
HWY_INLINE void AddRow(const RowSums<T>& in, Index i, Index x, TileSums<kRows, kCols, T>& sums) {
  sums.template add_row<kFirst, kLast>(in.rows[i] + x, in.weights + i, in.step);
}

// The tile of columns from x on.
template <int kCols, class T>
HWY_INLINE void SumTile(const RowSums<T>& in, Index x, T* HWY_RESTRICT out, Index stride) {
  TileSums<kRows, kCols, T> sums;
  sums.clear();
  // A band's first and last five rows do not reach all six sums.
  const bool band = in.band >= kFirRows;
  Index i = 0;
  if (band) {
    AddRow<0, 1>(in, 0, x, sums);
    AddRow<0, 2>(in, 1, x, sums);
    AddRow<0, 3>(in, 2, x, sums);
    AddRow<0, 4>(in, 3, x, sums);
    AddRow<0, 5>(in, 4, x, sums);
    i = 5;
  }
  const Index end = band ? in.band : in.count;
  bool add = false;
  while (true) {
    const Index stop = std::min(end, i + kFirRun);
    for (; i < stop; ++i) AddRow<0, 6>(in, i, x, sums);
    if (i == end) break;
    sums.put(out, stride, add);
    sums.clear();
    add = true;
  }
  if (band) {
    AddRow<1, 6>(in, i, x, sums);
    AddRow<2, 6>(in, i + 1, x, sums);
    AddRow<3, 6>(in, i + 2, x, sums);
    AddRow<4, 6>(in, i + 3, x, sums);
    AddRow<5, 6>(in, i + 4, x, sums);
  }
  sums.put(out, stride, add);
}

// For arrays narrower than a vector.
template <class T>
void SumNarrow(const RowSums<T>& in, Index begin, Index end, T* out, Index stride) {
  for (Index j = 0; j < kFirRows; ++j) {
    for (Index x = begin; x < end; ++x) {
      T total = 0;
      for (Index run = 0; run < in.count; run += kFirRun) {
        T sum = 0;
        for (Index i = run; i < std::min(in.count, run + kFirRun); ++i) {
          sum += in.weights[i + j * in.step] * in.rows[i][x];
        }
        total += sum;
      }
      out[j * stride + x - begin] = total;
    }
  }
}

// The last tile is moved left to end at `end`: what it computes twice comes out the same.
template <class T>
HWY_INLINE void SumRows(const RowSums<T>& in, Index begin, Index end, T* out, Index stride) {
  const Index lanes = RowLanes<T>();
  if (end >= kTile * lanes) {
    for (Index x = begin; x < end; x += kTile * lanes) {
      const Index at = std::min(x, end - kTile * lanes);
      SumTile<kTile>(in, at, out + at - begin, stride);
    }
  } else if (end >= lanes) {
    for (Index x = begin; x < end; x += lanes) {
      const Index at = std::min(x, end - lanes);
      SumTile<1>(in, at, out + at - begin, stride);
    }
  } else {
    SumNarrow(in, begin, end, out, stride);
  }
}

void RowsFloat(const RowSums<float>& in, Index begin, Index end, float* out, Index stride) {
  SumRows(in, begin, end, out, stride);
}
void RowsDouble(const RowSums<double>& in, Index begin, Index end, double* out, Index stride) {
  SumRows(in, begin, end, out, stride);
}

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(RowsFloat);
HWY_EXPORT(RowsDouble);
}  // namespace

template <>
void fir_rows(const RowSums<float>& sums, Index begin, Index end, float* out, Index out_stride) {
  HWY_DYNAMIC_DISPATCH(RowsFloat)(sums, begin, end, out, out_stride);
}
template <>
void fir_rows(const RowSums<double>& sums, Index begin, Index end, double* out, Index out_stride) {
  HWY_DYNAMIC_DISPATCH(RowsDouble)(sums, begin, end, out, out_stride);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
