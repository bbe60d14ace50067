// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/adaptive/gaussian_tables.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/adaptive/gaussian_tables.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "blurfield/kernels/exp2-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V = hn::Vec<D>>
HWY_INLINE double SumInDouble(D d, V v) {
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v)));
}

constexpr int kTablesAtOnce = 4;

// g to w = unit g and, with kDerivative, to dw = w (k^2 - mean) slope; zeros from used to padded.
template <bool kDerivative, class T>
HWY_INLINE void Normalise(double unit, double mean, double slope, Index used, Index padded,
                          T* HWY_RESTRICT w, T* HWY_RESTRICT dw) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  const auto step = hn::Set(d, static_cast<T>(lanes));
  const auto factor = hn::Set(d, static_cast<T>(unit));
  const auto centre = hn::Set(d, static_cast<T>(mean));
  const auto scale = hn::Set(d, static_cast<T>(slope));
  auto k = hn::Iota(d, T{0});
  Index at = 0;
  for (; at < used; at += lanes, k = hn::Add(k, step)) {
    const auto weight = hn::Mul(hn::LoadU(d, w + at), factor);
    hn::StoreU(weight, d, w + at);
    if constexpr (kDerivative) {
      const auto spread = hn::MulSub(k, k, centre);
      hn::StoreU(hn::Mul(hn::Mul(weight, spread), scale), d, dw + at);
    }
  }
  for (; at < padded; at += lanes) {
    hn::StoreU(hn::Zero(d), d, w + at);
    if constexpr (kDerivative) hn::StoreU(hn::Zero(d), d, dw + at);
  }
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
  const Index padded = (end + kPad - 1) / kPad * kPad;
  for (int p = 0; p < kPixels; ++p) {
    const double all = 2.0 * total[p] - static_cast<double>(w[p * stride]);
    const double cube = inverse[p] * inverse[p] * inverse[p];
    Normalise<kDerivative>(1.0 / all, 2.0 * mean[p] / all, std::min(cube, 1e37), at, padded,
                           w + p * stride, dw + p * stride);
  }
}

template <bool kDerivative, class T>
void HalfTablesOf(const double* sigma, const int* radius, const Index* extent, Index count, T* w,
                  T* dw, Index stride) {
  Index i = 0;
  for (; i + kTablesAtOnce <= count; i += kTablesAtOnce) {
    HalfTableBlock<kTablesAtOnce, kDerivative>(sigma + i, radius + i, extent + i, w + i * stride,
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

// Highway dispatches plain functions: one name per element type.
#define BLURFIELD_TABLES(T, S)                                                                    \
  void HalfTables##S(const double* sigma, const int* radius, const Index* extent, Index count,    \
                     T* w, T* dw, Index stride) {                                                 \
    HalfTables<T>(sigma, radius, extent, count, w, dw, stride);                                   \
  }                                                                                               \
  void MirrorTables##S(const T* half, Index half_stride, const Placement* p, Index count, T* out, \
                       Index out_stride) {                                                        \
    MirrorTables<T>(half, half_stride, p, count, out, out_stride);                                \
  }
BLURFIELD_TABLES(float, F)
BLURFIELD_TABLES(double, D)
#undef BLURFIELD_TABLES

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {

#define BLURFIELD_TABLES(T, S)                                                                     \
  HWY_EXPORT(HalfTables##S);                                                                       \
  HWY_EXPORT(MirrorTables##S);                                                                     \
  void half_tables(const double* sigma, const int* radius, const Index* extent, Index count, T* w, \
                   T* dw, Index stride) {                                                          \
    HWY_DYNAMIC_DISPATCH(HalfTables##S)(sigma, radius, extent, count, w, dw, stride);              \
  }                                                                                                \
  void mirror_tables(const T* half, Index half_stride, const Placement* placement, Index count,    \
                     T* out, Index out_stride) {                                                   \
    HWY_DYNAMIC_DISPATCH(MirrorTables##S)(half, half_stride, placement, count, out, out_stride);   \
  }
BLURFIELD_TABLES(float, F)
BLURFIELD_TABLES(double, D)
#undef BLURFIELD_TABLES

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
