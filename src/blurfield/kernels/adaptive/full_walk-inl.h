// SPDX-License-Identifier: BSD-3-Clause
// What the kernels of full.cc and full_spread.cc share, per SIMD target: the walk over half a
// kernel and sums along it. Included once per target, hence the toggled guard.
#if defined(BLURFIELD_KERNELS_FULL_WALK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BLURFIELD_KERNELS_FULL_WALK_INL_H_
#undef BLURFIELD_KERNELS_FULL_WALK_INL_H_
#else
#define BLURFIELD_KERNELS_FULL_WALK_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "blurfield/kernels/adaptive/full.h"
#include "blurfield/kernels/exp2-inl.h"

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

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
