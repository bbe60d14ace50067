// SPDX-License-Identifier: BSD-3-Clause
// Sums along the walk over half a kernel, per SIMD target. Included once per target, hence the
// toggled guard.
#if defined(BLURFIELD_KERNELS_FULL_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BLURFIELD_KERNELS_FULL_SUMS_INL_H_
#undef BLURFIELD_KERNELS_FULL_SUMS_INL_H_
#else
#define BLURFIELD_KERNELS_FULL_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include "blurfield/kernels/adaptive/full_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

// Vector sums that are moved to double before they grow long.
template <class T, int kCount>
class Sums {
 public:
  using D = Tag<T>;
  using V = hn::Vec<D>;
  explicit Sums(double* total) : total_(total) {
    for (int i = 0; i < kCount; ++i) part_[i] = hn::Zero(D());
  }
  HWY_INLINE void Add(int i, V v) { part_[i] = hn::Add(part_[i], v); }
  HWY_INLINE void MulAdd(int i, V a, V b) { part_[i] = hn::MulAdd(a, b, part_[i]); }
  HWY_INLINE void RowDone(Index rx) {
    taps_ += 2 * rx + 1;
    if (taps_ > kFlush) Flush();
  }
  HWY_INLINE void Flush() {
    for (int i = 0; i < kCount; ++i) {
      total_[i] += static_cast<double>(hn::GetLane(hn::SumOfLanes(D(), part_[i])));
      part_[i] = hn::Zero(D());
    }
    taps_ = 0;
  }

 private:
  static constexpr Index kFlush = 400;  // some fifty a lane
  double* total_;
  V part_[kCount];
  Index taps_ = 0;
};

template <class T>
HWY_INLINE double CentreTap(const FullRows<const T>& rows, int plane, const FullPixel& pixel) {
  return static_cast<double>(rows.plane[plane][pixel.column]);
}

// Adds one pixel's moments, its image being sum_c coef[c * coef_stride] plane_c. Weights are made
// by `weigh`.
template <class T, int kPlanes, class Weigh>
HWY_INLINE void PixelMoments(const FullPixel& pixel, const FullRows<const T>& rows, const T* coef,
                             Index coef_stride, const Weigh& weigh, FullMoments& moments) {
  const Tag<T> d;
  double norm[4] = {};
  double value[4] = {};
  Sums<T, 4> norms(norm);
  Sums<T, 4> values(value);
  hn::Vec<decltype(d)> factor[kPlanes + 1];
  for (int c = 0; c < kPlanes; ++c) factor[c] = hn::Set(d, coef[c * coef_stride]);
  // Of one row: sums of v, v z2, v z2^2, for v = g and v = g y.
  hn::Vec<decltype(d)> row_norm[3];
  hn::Vec<decltype(d)> row_value[3];
  for (int m = 0; m < 3; ++m) row_norm[m] = row_value[m] = hn::Zero(d);
  const auto add = [](auto& row, auto v, auto z2) HWY_ATTR {
    const auto along = hn::Mul(v, z2);
    row[0] = hn::Add(row[0], v);
    row[1] = hn::Add(row[1], along);
    row[2] = hn::MulAdd(along, z2, row[2]);
  };
  const auto close = [&](auto& row, Sums<T, 4>& sums, auto z1) HWY_ATTR {
    sums.Add(0, row[0]);
    sums.MulAdd(1, hn::Mul(z1, z1), row[0]);
    sums.MulAdd(2, z1, row[1]);
    sums.Add(3, row[2]);
    sums.RowDone(pixel.rx);
    for (int m = 0; m < 3; ++m) row[m] = hn::Zero(d);
  };
  ForRows<T>(
      pixel, rows.k0, rows.k1, weigh,
      [&]([[maybe_unused]] Index k, double, [[maybe_unused]] Index dx, auto g, auto z2) HWY_ATTR {
        add(row_norm, g, z2);
        if constexpr (kPlanes > 0) {
          auto y = hn::Zero(d);
          for (int c = 0; c < kPlanes; ++c) {
            y = hn::MulAdd(factor[c],
                           LoadPair(d, rows.plane[c], rows.stride, k - rows.k0, pixel.column, dx),
                           y);
          }
          add(row_value, hn::Mul(g, y), z2);
        }
      },
      [&](double z1_scalar) HWY_ATTR {
        const auto z1 = hn::Set(d, static_cast<T>(z1_scalar));
        close(row_norm, norms, z1);
        if constexpr (kPlanes > 0) close(row_value, values, z1);
      });
  norms.Flush();
  values.Flush();
  for (int m = 0; m < 4; ++m) {
    moments.norm[m] += 2.0 * norm[m];
    moments.value[m] += value[m];
  }
  if (rows.k0 > 0) return;
  moments.norm[0] += 1.0;
  for (int c = 0; c < kPlanes; ++c) {
    moments.value[0] += static_cast<double>(coef[c * coef_stride]) * CentreTap(rows, c, pixel);
  }
}

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
