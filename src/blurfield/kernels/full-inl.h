// SPDX-License-Identifier: BSD-3-Clause
// What the kernels of full.cc and full_spread.cc share, per SIMD target: the walk over half a
// kernel and sums along it. Included once per target, hence the toggled guard.
#if defined(BLURFIELD_KERNELS_FULL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BLURFIELD_KERNELS_FULL_INL_H_
#undef BLURFIELD_KERNELS_FULL_INL_H_
#else
#define BLURFIELD_KERNELS_FULL_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "blurfield/kernels/exp2-inl.h"
#include "blurfield/kernels/full.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// |z| beyond which weights are left out: 2^-50, 2^-80.
template <class T>
constexpr double kCut = sizeof(T) == 4 ? 8.33 : 10.54;

constexpr double kHalfLog2E = 0.72134752044448170368;

// Rows of most kernels are a few dozen taps: 32 bytes a vector waste less of them than 64.
template <class T>
using Tag = hn::CappedTag<T, 32 / sizeof(T)>;

// What of one row of a kernel is inside the support: dx = first..last.
struct RowSpan {
  Index first;
  Index last;
};

// `centre` is m dy. The centre row is its own mirror image: only dx > 0, its centre tap is added
// apart.
template <class T>
HWY_INLINE RowSpan SpanOfRow(const FullPixel& pixel, Index k, double centre, bool cut) {
  const Index first = k == 0 ? 1 : -pixel.rx;
  if (!cut) return {first, pixel.rx};
  const double reach = kCut<T> / pixel.inv_c;
  const double low = std::max(std::ceil(centre - reach), static_cast<double>(first));
  const double high = std::min(std::floor(centre + reach), static_cast<double>(pixel.rx));
  if (!(low <= high)) return {1, 0};
  return {static_cast<Index>(low), static_cast<Index>(high)};
}

// Calls visit(row k, z1, dx of the first lane, weights, z2) for the vectors of half the kernel, and
// row_done(z1) after each of its rows. Weights come from weigh(power of two, lanes inside the row).
template <class T, class Weigh, class Visit, class RowDone>
HWY_INLINE void ForRows(const FullPixel& pixel, Index k0, Index k1, const Weigh& weigh,
                        const Visit& visit, const RowDone& row_done) {
  const Tag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  const auto inv_c = hn::Set(d, static_cast<T>(pixel.inv_c));
  const auto scale = hn::Set(d, static_cast<T>(-kHalfLog2E));
  const auto step = hn::Set(d, static_cast<T>(lanes));
  const Index end = std::min(k1, pixel.ry + 1);
  const double farthest =
      static_cast<double>(pixel.rx) + std::abs(pixel.slope) * static_cast<double>(pixel.ry);
  const bool cut = !(farthest * pixel.inv_c <= kCut<T>);
  for (Index k = k0; k < end; ++k) {
    const double z1 = k == 0 ? 0.0 : pixel.inv_a * static_cast<double>(k);
    if (z1 > kCut<T>) return;
    const double centre = k == 0 ? 0.0 : pixel.slope * static_cast<double>(k);
    const RowSpan span = SpanOfRow<T>(pixel, k, centre, cut);
    // dx - m dy as an exact integer less a fraction: no cancellation in z2.
    const double whole = std::nearbyint(centre);
    const auto fraction = hn::Set(d, static_cast<T>((centre - whole) * pixel.inv_c));
    const auto last = hn::Set(d, static_cast<T>(static_cast<double>(span.last) - whole));
    const auto row_power = hn::Set(d, static_cast<T>(-kHalfLog2E * z1 * z1));
    auto offset = hn::Iota(d, static_cast<T>(static_cast<double>(span.first) - whole));
    for (Index dx = span.first; dx <= span.last; dx += lanes, offset = hn::Add(offset, step)) {
      const auto z2 = hn::MulSub(offset, inv_c, fraction);
      const auto power = hn::MulAdd(hn::Mul(z2, z2), scale, row_power);
      visit(k, z1, dx, weigh(power, hn::Le(offset, last)), z2);
    }
    row_done(z1);
  }
}

template <class T>
struct MakeWeights {
  template <class V, class M>
  HWY_INLINE V operator()(V power, M inside) const {
    return hn::IfThenElseZero(inside, Exp2Nonpositive(Tag<T>(), power));
  }
};

template <class T, class Visit, class RowDone>
HWY_INLINE void ForWeights(const FullPixel& pixel, Index k0, Index k1, const Visit& visit,
                           const RowDone& row_done) {
  ForRows<T>(pixel, k0, k1, MakeWeights<T>(), visit, row_done);
}

// plane(dy, dx..) + plane(-dy, -dx..).
template <class T, class D>
HWY_INLINE hn::Vec<D> LoadPair(D d, const T* HWY_RESTRICT plane, Index stride, Index slot,
                               Index column, Index dx) {
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  const T* HWY_RESTRICT above = plane + 2 * slot * stride + column;
  const T* HWY_RESTRICT below = above + stride;
  const auto mirrored = hn::LoadU(d, above - dx - lanes + 1);
  return hn::Add(hn::LoadU(d, below + dx), hn::Reverse(d, mirrored));
}

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
