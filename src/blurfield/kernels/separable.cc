// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/separable.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/separable.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "blurfield/kernels/exp2-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// 32 vector registers allow more accumulators than 16.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kColumns = 4;
#else
constexpr int kColumns = 2;
#endif

template <class D, class V = hn::Vec<D>>
HWY_INLINE double SumInDouble(D d, V v) {
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v)));
}

// kPixels tables at once, which hides the latency of the exponential.
template <int kPixels, bool kDerivative, class T>
HWY_INLINE void HalfTableBlock(const double* sigma, const int* radius, const Index* extent,
                               T* HWY_RESTRICT w, T* HWY_RESTRICT dw, Index stride) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  const V step = hn::Set(d, static_cast<T>(lanes));
  V scale[kPixels];
  V last[kPixels];
  V sum[kPixels];
  V moment[kPixels];
  double inverse[kPixels];
  Index end = 0;
  Index max_radius = 0;
  for (int p = 0; p < kPixels; ++p) {
    // -k^2 / (2 sigma^2) as a power of two; the limit keeps 0 * inf from k = 0.
    inverse[p] = std::min(1.0 / sigma[p], 1e18);
    scale[p] = hn::Set(d, static_cast<T>(-0.72134752044448170368 * inverse[p] * inverse[p]));
    last[p] = hn::Set(d, static_cast<T>(radius[p]));
    sum[p] = moment[p] = hn::Zero(d);
    max_radius = std::max<Index>(max_radius, radius[p]);
    end = std::max(end, extent[p]);
  }
  end = std::max(end, max_radius + 1);
  double total[kPixels] = {};
  double mean[kPixels] = {};
  const auto flush = [&]() HWY_ATTR {
    for (int p = 0; p < kPixels; ++p) {
      total[p] += SumInDouble(d, sum[p]);
      sum[p] = hn::Zero(d);
      if constexpr (kDerivative) mean[p] += SumInDouble(d, moment[p]);
      moment[p] = hn::Zero(d);
    }
  };
  constexpr Index kFlush = 16;  // vectors, before float sums grow long
  V k = hn::Iota(d, T{0});
  Index at = 0;
  for (; at <= max_radius; at += lanes, k = hn::Add(k, step)) {
    const V k2 = hn::Mul(k, k);
    for (int p = 0; p < kPixels; ++p) {
      // Weights that would leave the normal numbers are 0, and so are their derivatives.
      const V power = hn::Mul(scale[p], k2);
      const auto keep = hn::And(hn::Le(k, last[p]), hn::Gt(power, hn::Set(d, kSmallestPower<T>)));
      const V g = hn::IfThenElseZero(keep, Exp2Nonpositive(d, power));
      hn::StoreU(g, d, w + p * stride + at);
      sum[p] = hn::Add(sum[p], g);
      if constexpr (kDerivative) moment[p] = hn::MulAdd(g, k2, moment[p]);
    }
    if ((at / lanes + 1) % kFlush == 0) flush();
  }
  flush();
  const Index used = at;
  for (const Index padded = (end + kPad - 1) / kPad * kPad; at < padded; at += lanes) {
    for (int p = 0; p < kPixels; ++p) {
      hn::StoreU(hn::Zero(d), d, w + p * stride + at);
      if constexpr (kDerivative) hn::StoreU(hn::Zero(d), d, dw + p * stride + at);
    }
  }
  for (int p = 0; p < kPixels; ++p) {
    T* HWY_RESTRICT to = w + p * stride;
    total[p] = 2.0 * total[p] - static_cast<double>(to[0]);
    const V unit = hn::Set(d, static_cast<T>(1.0 / total[p]));
    const V mean_k2 = hn::Set(d, static_cast<T>(2.0 * mean[p] / total[p]));
    const double cube = inverse[p] * inverse[p] * inverse[p];
    const V slope = hn::Set(d, static_cast<T>(std::min(cube, 1e37)));
    k = hn::Iota(d, T{0});
    for (at = 0; at < used; at += lanes, k = hn::Add(k, step)) {
      const V weight = hn::Mul(hn::LoadU(d, to + at), unit);
      hn::StoreU(weight, d, to + at);
      if constexpr (kDerivative) {
        const V spread = hn::MulSub(k, k, mean_k2);
        hn::StoreU(hn::Mul(hn::Mul(weight, spread), slope), d, dw + p * stride + at);
      }
    }
  }
}

template <bool kDerivative, class T>
void HalfTablesOf(const double* sigma, const int* radius, const Index* extent, Index count, T* w,
                  T* dw, Index stride) {
  Index i = 0;
  for (; i + kGroup <= count; i += kGroup) {
    HalfTableBlock<kGroup, kDerivative>(sigma + i, radius + i, extent + i, w + i * stride,
                                        dw + i * stride, stride);
  }
  for (; i < count; ++i) {
    HalfTableBlock<1, kDerivative>(sigma + i, radius + i, extent + i, w + i * stride,
                                   dw + i * stride, stride);
  }
}

template <class T>
void HalfTables(const double* sigma, const int* radius, const Index* extent, Index count, T* w,
                T* dw, Index stride) {
  if (dw) {
    HalfTablesOf<true>(sigma, radius, extent, count, w, dw, stride);
  } else {
    HalfTablesOf<false>(sigma, radius, extent, count, w, w, stride);
  }
}

template <class T>
void MirrorTables(const T* half, Index half_stride, const Placement* placement, Index count, T* out,
                  Index out_stride) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  for (Index i = 0; i < count; ++i) {
    const Placement& place = placement[i];
    const T* HWY_RESTRICT from = half + i * half_stride;
    T* HWY_RESTRICT to = out + i * out_stride;
    const Index left = std::max<Index>(place.centre - place.radius, 0);
    for (Index j = 0; j < left; j += lanes) hn::StoreU(hn::Zero(d), d, to + j);
    const Index right = std::min(place.centre + place.radius + 1, place.length);
    for (Index k = 0; k <= place.centre && k <= place.radius; k += lanes) {
      hn::StoreU(hn::Reverse(d, hn::LoadU(d, from + k)), d, to + place.centre - k - lanes + 1);
    }
    for (Index j = std::max<Index>(place.centre, 0); j < right; j += lanes) {
      hn::StoreU(hn::LoadU(d, from + j - place.centre), d, to + j);
    }
    // Also what a clipped kernel left beyond the table's end.
    for (Index j = std::max<Index>(right, 0); j < place.length + kPad; j += lanes) {
      hn::StoreU(hn::Zero(d), d, to + j);
    }
  }
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
  // Derivatives double the accumulators of a pixel.
  constexpr int kCols = kDerivative ? kColumns / 2 : kColumns;
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
  constexpr int kCols = kDerivative ? kColumns / 2 : kColumns;
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
  void HalfTables##S(const double* sigma, const int* radius, const Index* extent, Index count,    \
                     T* w, T* dw, Index stride) {                                                 \
    HalfTables<T>(sigma, radius, extent, count, w, dw, stride);                                   \
  }                                                                                               \
  void MirrorTables##S(const T* half, Index half_stride, const Placement* p, Index count, T* out, \
                       Index out_stride) {                                                        \
    MirrorTables<T>(half, half_stride, p, count, out, out_stride);                                \
  }                                                                                               \
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
  HWY_EXPORT(HalfTables##S);                                                                       \
  HWY_EXPORT(MirrorTables##S);                                                                     \
  HWY_EXPORT(GatherTile##S);                                                                       \
  HWY_EXPORT(SpreadTile##S);                                                                       \
  HWY_EXPORT(AddRows##S);                                                                          \
  HWY_EXPORT(AccumulateRow##S);                                                                    \
  void half_tables(const double* sigma, const int* radius, const Index* extent, Index count, T* w, \
                   T* dw, Index stride) {                                                          \
    HWY_DYNAMIC_DISPATCH(HalfTables##S)(sigma, radius, extent, count, w, dw, stride);              \
  }                                                                                                \
  void mirror_tables(const T* half, Index half_stride, const Placement* placement, Index count,    \
                     T* out, Index out_stride) {                                                   \
    HWY_DYNAMIC_DISPATCH(MirrorTables##S)(half, half_stride, placement, count, out, out_stride);   \
  }                                                                                                \
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
