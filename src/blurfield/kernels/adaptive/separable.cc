// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/adaptive/separable.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/adaptive/separable.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Vectors of columns at once: 32 registers allow more accumulators than 16. With derivatives a
// pixel has two accumulators, and one vector of columns keeps all of them in registers.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kColumns = 4;
#else
constexpr int kColumns = 2;
#endif

template <class D, class V = hn::Vec<D>>
HWY_INLINE double SumInDouble(D d, V v) {
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v)));
}

// One pixel's contribution of a block of columns to its sums.
template <int kPixels, int kCols, bool kDerivative, class T>
HWY_INLINE void GatherBlock(const Tile<T>& tile, Index first, Index k0, Index k1, Index column,
                            const T* HWY_RESTRICT rows, Index row_stride, Index entry,
                            hn::Vec<hn::ScalableTag<T>>* HWY_RESTRICT out,
                            hn::Vec<hn::ScalableTag<T>>* HWY_RESTRICT dy,
                            hn::Vec<hn::ScalableTag<T>>* HWY_RESTRICT dx) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<hn::ScalableTag<T>>;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  constexpr int kSlopes = kDerivative ? kPixels : 1;
  V t[kPixels][kCols];
  V s[kSlopes][kCols];
  for (int p = 0; p < kPixels; ++p) {
    for (int q = 0; q < kCols; ++q) t[p][q] = hn::Zero(d);
  }
  for (int p = 0; p < kSlopes; ++p) {
    for (int q = 0; q < kCols; ++q) s[p][q] = hn::Zero(d);
  }
  const T* HWY_RESTRICT yw = tile.yw + first * tile.y_stride;
  const T* HWY_RESTRICT dyw = kDerivative ? tile.dyw + first * tile.y_stride : nullptr;
  const T* HWY_RESTRICT row = rows + column;
  for (Index k = k0; k < k1; ++k, row += row_stride) {
    V x[kCols];
    for (int q = 0; q < kCols; ++q) x[q] = hn::LoadU(d, row + q * lanes);
    for (int p = 0; p < kPixels; ++p) {
      const V weight = hn::Set(d, yw[p * tile.y_stride + k]);
      for (int q = 0; q < kCols; ++q) t[p][q] = hn::MulAdd(weight, x[q], t[p][q]);
      if constexpr (kDerivative) {
        const V slope = hn::Set(d, dyw[p * tile.y_stride + k]);
        for (int q = 0; q < kCols; ++q) s[p][q] = hn::MulAdd(slope, x[q], s[p][q]);
      }
    }
  }
  for (int p = 0; p < kPixels; ++p) {
    const T* HWY_RESTRICT xw = tile.xw + (first + p) * tile.x_stride + entry;
    for (int q = 0; q < kCols; ++q) {
      const V weight = hn::LoadU(d, xw + q * lanes);
      out[p] = hn::MulAdd(weight, t[p][q], out[p]);
      if constexpr (kDerivative) {
        const T* HWY_RESTRICT dxw = tile.dxw + (first + p) * tile.x_stride + entry;
        dy[p] = hn::MulAdd(weight, s[p][q], dy[p]);
        dx[p] = hn::MulAdd(hn::LoadU(d, dxw + q * lanes), t[p][q], dx[p]);
      }
    }
  }
}

template <int kPixels, bool kDerivative, class T>
HWY_INLINE void GatherGroup(const Tile<T>& tile, const Group& group, const T* HWY_RESTRICT rows,
                            Index row_stride, Index slot0, Index k0, Index k1,
                            const GatherSums& sums) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<hn::ScalableTag<T>>;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  constexpr int kCols = kDerivative ? 1 : kColumns;
  V out[kPixels];
  V dy[kPixels];
  V dx[kPixels];
  for (int p = 0; p < kPixels; ++p) out[p] = dy[p] = dx[p] = hn::Zero(d);
  const T* HWY_RESTRICT first_row = rows + (k0 - slot0) * row_stride;
  Index c = group.c0;
  for (; c + (kCols - 1) * lanes < group.c1; c += kCols * lanes) {
    GatherBlock<kPixels, kCols, kDerivative>(tile, group.first, k0, k1, c, first_row, row_stride,
                                             c - group.c0, out, dy, dx);
  }
  for (; c < group.c1; c += lanes) {
    GatherBlock<kPixels, 1, kDerivative>(tile, group.first, k0, k1, c, first_row, row_stride,
                                         c - group.c0, out, dy, dx);
  }
  for (int p = 0; p < kPixels; ++p) {
    sums.out[group.first + p] += SumInDouble(d, out[p]);
    if constexpr (kDerivative) {
      sums.dy[group.first + p] += SumInDouble(d, dy[p]);
      sums.dx[group.first + p] += SumInDouble(d, dx[p]);
    }
  }
}

template <bool kDerivative, class T>
void GatherTile(const Tile<T>& tile, const T* rows, Index row_stride, Index slot0, Index slot1,
                const GatherSums& sums) {
  for (Index g = 0; g < tile.group_count; ++g) {
    const Group& group = tile.groups[g];
    const Index k0 = std::max(group.k0, slot0);
    const Index k1 = std::min(group.k1, slot1);
    if (k0 >= k1) continue;
    if (group.size == kGroup) {
      GatherGroup<kGroup, kDerivative>(tile, group, rows, row_stride, slot0, k0, k1, sums);
    } else {
      GatherGroup<1, kDerivative>(tile, group, rows, row_stride, slot0, k0, k1, sums);
    }
  }
}

template <int kPixels, int kCols, bool kDerivative, class T>
HWY_INLINE void SpreadBlock(const Tile<T>& tile, const SpreadValues<T>& values, Index first,
                            Index k0, Index k1, Index column, Index entry, T* HWY_RESTRICT rows,
                            Index row_stride) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<hn::ScalableTag<T>>;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  constexpr int kSlopes = kDerivative ? kPixels : 1;
  V a[kPixels][kCols];  // goes with yw
  V b[kSlopes][kCols];  // goes with dyw
  for (int p = 0; p < kPixels; ++p) {
    const T* HWY_RESTRICT xw = tile.xw + (first + p) * tile.x_stride + entry;
    for (int q = 0; q < kCols; ++q) {
      const V weight = hn::LoadU(d, xw + q * lanes);
      a[p][q] = hn::Mul(hn::Set(d, values.value[first + p]), weight);
      if constexpr (kDerivative) {
        const T* HWY_RESTRICT dxw = tile.dxw + (first + p) * tile.x_stride + entry;
        a[p][q] = hn::MulAdd(hn::Set(d, values.along_x[first + p]), hn::LoadU(d, dxw + q * lanes),
                             a[p][q]);
        b[p][q] = hn::Mul(hn::Set(d, values.along_y[first + p]), weight);
      }
    }
  }
  const T* HWY_RESTRICT yw = tile.yw + first * tile.y_stride;
  const T* HWY_RESTRICT dyw = kDerivative ? tile.dyw + first * tile.y_stride : nullptr;
  T* HWY_RESTRICT row = rows + column;
  for (Index k = k0; k < k1; ++k, row += row_stride) {
    V x[kCols];
    for (int q = 0; q < kCols; ++q) x[q] = hn::LoadU(d, row + q * lanes);
    for (int p = 0; p < kPixels; ++p) {
      const V weight = hn::Set(d, yw[p * tile.y_stride + k]);
      for (int q = 0; q < kCols; ++q) x[q] = hn::MulAdd(weight, a[p][q], x[q]);
      if constexpr (kDerivative) {
        const V slope = hn::Set(d, dyw[p * tile.y_stride + k]);
        for (int q = 0; q < kCols; ++q) x[q] = hn::MulAdd(slope, b[p][q], x[q]);
      }
    }
    for (int q = 0; q < kCols; ++q) hn::StoreU(x[q], d, row + q * lanes);
  }
}

template <int kPixels, bool kDerivative, class T>
HWY_INLINE void SpreadGroup(const Tile<T>& tile, const SpreadValues<T>& values, const Group& group,
                            T* HWY_RESTRICT rows, Index row_stride, Index slot0, Index k0,
                            Index k1) {
  const Index lanes = static_cast<Index>(hn::Lanes(hn::ScalableTag<T>()));
  constexpr int kCols = kDerivative ? 1 : kColumns;
  T* HWY_RESTRICT first_row = rows + (k0 - slot0) * row_stride;
  Index c = group.c0;
  for (; c + (kCols - 1) * lanes < group.c1; c += kCols * lanes) {
    SpreadBlock<kPixels, kCols, kDerivative>(tile, values, group.first, k0, k1, c, c - group.c0,
                                             first_row, row_stride);
  }
  for (; c < group.c1; c += lanes) {
    SpreadBlock<kPixels, 1, kDerivative>(tile, values, group.first, k0, k1, c, c - group.c0,
                                         first_row, row_stride);
  }
}

template <bool kDerivative, class T>
void SpreadTile(const Tile<T>& tile, const SpreadValues<T>& values, T* rows, Index row_stride,
                Index slot0, Index slot1) {
  for (Index g = 0; g < tile.group_count; ++g) {
    const Group& group = tile.groups[g];
    const Index k0 = std::max(group.k0, slot0);
    const Index k1 = std::min(group.k1, slot1);
    if (k0 >= k1) continue;
    if (group.size == kGroup) {
      SpreadGroup<kGroup, kDerivative>(tile, values, group, rows, row_stride, slot0, k0, k1);
    } else {
      SpreadGroup<1, kDerivative>(tile, values, group, rows, row_stride, slot0, k0, k1);
    }
  }
}

template <class T>
void AddRows(const T* HWY_RESTRICT a, const T* HWY_RESTRICT b, Index n, T* HWY_RESTRICT sum) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index j = 0;
  for (; j + lanes <= n; j += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, a + j), hn::LoadU(d, b + j)), d, sum + j);
  }
  for (; j < n; ++j) sum[j] = a[j] + b[j];
}

template <class T>
void AccumulateRow(const T* HWY_RESTRICT a, Index n, T* HWY_RESTRICT into) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index j = 0;
  for (; j + lanes <= n; j += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, a + j), hn::LoadU(d, into + j)), d, into + j);
  }
  for (; j < n; ++j) into[j] += a[j];
}

// Highway dispatches plain functions: one name per element type.
#define BLURFIELD_SEPARABLE(T, S)                                                                 \
  void GatherTile##S(const Tile<T>& tile, const T* rows, Index row_stride, Index slot0,           \
                     Index slot1, const GatherSums& sums) {                                       \
    (tile.dyw ? GatherTile<true, T> : GatherTile<false, T>)(tile, rows, row_stride, slot0, slot1, \
                                                            sums);                                \
  }                                                                                               \
  void SpreadTile##S(const Tile<T>& tile, const SpreadValues<T>& values, T* rows,                 \
                     Index row_stride, Index slot0, Index slot1) {                                \
    (values.along_y ? SpreadTile<true, T> : SpreadTile<false, T>)(tile, values, rows, row_stride, \
                                                                  slot0, slot1);                  \
  }                                                                                               \
  void AddRows##S(const T* a, const T* b, Index n, T* sum) { AddRows<T>(a, b, n, sum); }          \
  void AccumulateRow##S(const T* a, Index n, T* into) { AccumulateRow<T>(a, n, into); }
BLURFIELD_SEPARABLE(float, F)
BLURFIELD_SEPARABLE(double, D)
#undef BLURFIELD_SEPARABLE

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {

#define BLURFIELD_SEPARABLE(T, S)                                                                  \
  HWY_EXPORT(GatherTile##S);                                                                       \
  HWY_EXPORT(SpreadTile##S);                                                                       \
  HWY_EXPORT(AddRows##S);                                                                          \
  HWY_EXPORT(AccumulateRow##S);                                                                    \
  void gather_tile(const Tile<T>& tile, const T* rows, Index row_stride, Index slot0, Index slot1, \
                   const GatherSums& sums) {                                                       \
    HWY_DYNAMIC_DISPATCH(GatherTile##S)(tile, rows, row_stride, slot0, slot1, sums);               \
  }                                                                                                \
  void spread_tile(const Tile<T>& tile, const SpreadValues<T>& values, T* rows, Index row_stride,  \
                   Index slot0, Index slot1) {                                                     \
    HWY_DYNAMIC_DISPATCH(SpreadTile##S)(tile, values, rows, row_stride, slot0, slot1);             \
  }                                                                                                \
  void add_rows(const T* a, const T* b, Index n, T* sum) {                                         \
    HWY_DYNAMIC_DISPATCH(AddRows##S)(a, b, n, sum);                                                \
  }                                                                                                \
  void accumulate_row(const T* a, Index n, T* into) {                                              \
    HWY_DYNAMIC_DISPATCH(AccumulateRow##S)(a, n, into);                                            \
  }
BLURFIELD_SEPARABLE(float, F)
BLURFIELD_SEPARABLE(double, D)
#undef BLURFIELD_SEPARABLE

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
