// SPDX-License-Identifier: BSD-3-Clause
// The walk over a kernel of residual.h, per SIMD target. Included once per target, hence the
// toggled guard.
#if defined(BLURFIELD_KERNELS_RESIDUAL_WALK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BLURFIELD_KERNELS_RESIDUAL_WALK_INL_H_
#undef BLURFIELD_KERNELS_RESIDUAL_WALK_INL_H_
#else
#define BLURFIELD_KERNELS_RESIDUAL_WALK_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "blurfield/kernels/exp2-inl.h"
#include "blurfield/kernels/residual.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Most rows are a dozen or two taps: 32 bytes a vector waste less of them than 64.
template <class T>
using ResidualTag = hn::CappedTag<T, 32 / sizeof(T)>;
// For longer rows and for tables.
template <class T>
using ResidualWideTag = hn::CappedTag<T, 64 / sizeof(T)>;

// Rows that follow from one another, from the middle one both ways: rounding stays below a few ulps
// where weights are large.
inline constexpr Index kResidualRun = 96;

// Consecutive rows of a kernel. Columns are numbers of kResidualBits bits behind the point.
template <class T>
struct ResidualRun {
  using I = hwy::MakeSigned<T>;
  Index count = 0;
  Index middle = 0;
  T centre = 0;                             // delta of the middle row
  alignas(64) I offset[kResidualRun] = {};  // of the first tap in a plane
  alignas(64) I ratio[kResidualRun] = {};   // where the ratios to the next row begin
  alignas(64) T weight[kResidualRun] = {};  // exp(-(z1^2 + inv_x^2 delta^2) / 2)
  alignas(64) T delta[kResidualRun] = {};
  alignas(64) T z1[kResidualRun] = {};
};

// Leaves a sign and 6 bits for the columns that the fraction of a slope adds up to in half a run.
template <class T>
inline constexpr int kResidualBits = sizeof(T) == 4 ? 25 : 52;

// kMoments: z1 and delta of each row are wanted.
template <class T, bool kMoments>
class ResidualWalk {
 public:
  template <class P>
  ResidualWalk(const ResidualPixel& pixel, const ResidualBlock<P>& block, T* ratios)
      : pixel_(pixel),
        stride_(block.stride),
        origin_(-block.top * block.stride - block.left),
        ratios_(ratios) {
    table_ = (pixel.taps + kResidualPad - 1) / kResidualPad * kResidualPad;
    half_ = 0.5 * static_cast<double>(pixel.taps - 1);
    power_ = -0.5 * kLog2E * pixel.inv_x * pixel.inv_x;
    // Ratios of rows as narrow as this leave the numbers: each row is made by itself.
    const bool follow = -2.0 * power_ * half_ < kLargestPower;
    length_ = follow ? std::min(pixel.rows, kResidualRun) : 1;
    if (pixel.rows == 1) return;
    const double whole = std::floor(pixel.slope);
    whole_ = static_cast<I>(whole);
    fraction_ = static_cast<I>(std::nearbyint((pixel.slope - whole) * kOne));
    if (length_ > 1) MakeRatios();
  }

  // The next rows, if any.
  HWY_INLINE bool Next(ResidualRun<T>& run) {
    if (row_ >= pixel_.rows) return false;
    run.count = std::min(length_, pixel_.rows - row_);
    run.middle = run.count / 2;
    MakeRows(run);
    row_ += run.count;
    return true;
  }

  // Calls f(tag of a vector, number of vectors, first tap) for the taps of a row, those beyond the
  // pixel's included.
  template <class F>
  HWY_INLINE void ForChunks(const F& f) const {
    const ResidualTag<T> d;
    if (pixel_.taps > 4 * static_cast<Index>(hn::Lanes(d))) {
      ForChunksOf(ResidualWideTag<T>(), f);
    } else {
      ForChunksOf(d, f);
    }
  }

  // Calls visit(row k, way 0 or 1, h) for the rows of a run, h for the kVectors vectors of taps
  // from `from` on.
  template <int kVectors, class D, class Visit>
  HWY_INLINE void ForRows(D d, const ResidualRun<T>& run, Index from, const Visit& visit) const {
    hn::Vec<D> down[kVectors];
    hn::Vec<D> up[kVectors];
    Start<kVectors>(d, run.centre, from, down);
    for (int j = 0; j < kVectors; ++j) up[j] = down[j];
    const T* HWY_RESTRICT ratios = ratios_ + from;
    const T* HWY_RESTRICT inverses = ratios + 2 * table_;
    // Both ways at once: either waits for its last product.
    for (Index k = 0; k < run.middle; ++k) {
      const Index below = run.middle + k;
      const Index above = run.middle - 1 - k;
      Follow<kVectors>(d, inverses + run.ratio[above], up);
      visit(below, std::integral_constant<int, 0>(), down);
      visit(above, std::integral_constant<int, 1>(), up);
      Follow<kVectors>(d, ratios + run.ratio[below], down);
    }
    if (run.count > 2 * run.middle) visit(run.count - 1, std::integral_constant<int, 0>(), down);
  }

  // u of vector j of the taps from `from` on.
  template <class D>
  HWY_INLINE hn::Vec<D> Taps(D d, Index from, int j) const {
    const auto lanes = static_cast<Index>(hn::Lanes(d));
    return hn::Iota(d, static_cast<T>(static_cast<double>(from + j * lanes) - half_));
  }

 private:
  using I = hwy::MakeSigned<T>;
  static constexpr double kLog2E = 1.4426950408889634074;
  static constexpr double kLargestPower = 120.0;
  static constexpr int kBits = kResidualBits<T>;
  static constexpr double kOne = static_cast<double>(std::int64_t{1} << kBits);

  template <class D, class F>
  HWY_INLINE void ForChunksOf(D d, const F& f) const {
    const auto lanes = static_cast<Index>(hn::Lanes(d));
    Index from = 0;
    for (; pixel_.taps - from > 3 * lanes; from += 4 * lanes) {
      f(d, std::integral_constant<int, 4>(), from);
    }
    const Index rest = pixel_.taps - from;
    if (rest > 2 * lanes) {
      f(d, std::integral_constant<int, 3>(), from);
    } else if (rest > lanes) {
      f(d, std::integral_constant<int, 2>(), from);
    } else if (rest > 0) {
      f(d, std::integral_constant<int, 1>(), from);
    }
  }

  template <int kVectors, class D>
  HWY_INLINE void Start(D d, T delta, Index from, hn::Vec<D>* h) const {
    const auto scale = hn::Set(d, static_cast<T>(power_));
    const auto twice = hn::Set(d, T{2} * delta);
    const auto last = hn::Set(d, static_cast<T>(half_));
    const auto least = hn::Set(d, kSmallestPower<T>);
    for (int j = 0; j < kVectors; ++j) {
      const auto u = Taps(d, from, j);
      const auto power = hn::Mul(hn::Mul(u, hn::Sub(u, twice)), scale);
      h[j] = hn::IfThenElseZero(hn::Le(u, last), Exp2Nonpositive(d, hn::Max(power, least)));
    }
  }

  template <int kVectors, class D>
  static HWY_INLINE void Follow(D d, const T* HWY_RESTRICT ratios, hn::Vec<D>* h) {
    const auto lanes = static_cast<Index>(hn::Lanes(d));
    for (int j = 0; j < kVectors; ++j) h[j] = hn::Mul(h[j], hn::LoadU(d, ratios + j * lanes));
  }

  // Tables of exp(inv_x^2 u f) for the slope's fraction f, and for f - 1; and their inverses.
  HWY_INLINE void MakeRatios() {
    const ResidualWideTag<T> d;
    const auto lanes = static_cast<Index>(hn::Lanes(d));
    const double f = static_cast<double>(fraction_) / kOne;
    const auto stay = hn::Set(d, static_cast<T>(-2.0 * power_ * f));
    const auto carry = hn::Set(d, static_cast<T>(-2.0 * power_ * (f - 1.0)));
    const auto one = hn::Set(d, T{1});
    const auto most = hn::Set(d, static_cast<T>(kLargestPower));  // beyond the taps
    const auto least = hn::Neg(most);
    auto u = hn::Iota(d, static_cast<T>(-half_));
    T* HWY_RESTRICT table = ratios_;
    for (T* end = table + table_; table < end; table += lanes) {
      const auto of_stay = Exp2Nonpositive(d, hn::Clamp(hn::Mul(u, stay), least, most));
      const auto of_carry = Exp2Nonpositive(d, hn::Clamp(hn::Mul(u, carry), least, most));
      hn::StoreU(of_stay, d, table);
      hn::StoreU(of_carry, d, table + table_);
      hn::StoreU(hn::Div(one, of_stay), d, table + 2 * table_);
      hn::StoreU(hn::Div(one, of_carry), d, table + 3 * table_);
      u = hn::Add(u, hn::Set(d, static_cast<T>(lanes)));
    }
  }

  HWY_INLINE void MakeRows(ResidualRun<T>& run) const {
    const ResidualWideTag<T> d;
    const hn::RebindToSigned<ResidualWideTag<T>> di;
    const auto lanes = static_cast<Index>(hn::Lanes(d));
    const Index first = pixel_.first + row_;
    const double dy = static_cast<double>(first) - pixel_.y;
    const auto middle = static_cast<double>(run.middle);
    // Where the middle row begins if its taps are rounded to the nearest columns.
    const double slope = pixel_.rows > 1 ? pixel_.slope : 0.0;
    const double begin = pixel_.x + slope * (dy + middle) - half_ + 0.5;
    const double nearest = std::floor(begin);
    run.centre = static_cast<T>(begin - nearest - 0.5);
    const auto start =
        static_cast<I>((begin - nearest) * kOne) - static_cast<I>(run.middle) * fraction_;
    const Index origin =
        origin_ + first * stride_ + static_cast<Index>(nearest) - run.middle * whole_;
    const auto steps = hn::Iota(di, I{0});
    auto column = hn::Add(hn::Set(di, start), hn::Mul(steps, hn::Set(di, fraction_)));
    auto row = hn::Add(hn::Set(di, static_cast<I>(origin)),
                       hn::Mul(steps, hn::Set(di, static_cast<I>(stride_ + whole_))));
    const auto mask = hn::Set(di, static_cast<I>((I{1} << kBits) - 1));
    const auto one_half = hn::Set(di, static_cast<I>(I{1} << (kBits - 1)));
    const auto unit = hn::Set(d, static_cast<T>(1.0 / kOne));
    const auto inv_x = hn::Set(d, static_cast<T>(pixel_.inv_x));
    const auto scale = hn::Set(d, static_cast<T>(-0.5 * kLog2E));
    const auto least = hn::Set(d, kSmallestPower<T>);
    auto z1 = hn::Mul(hn::Set(d, static_cast<T>(pixel_.inv_y)), hn::Iota(d, static_cast<T>(dy)));
    for (Index k = 0; k < run.count; k += lanes) {
      const auto whole = hn::ShiftRight<kBits>(column);
      const auto next = hn::ShiftRight<kBits>(hn::Add(column, hn::Set(di, fraction_)));
      const auto carry = hn::Sub(whole, next);  // 0 or -1
      const auto fraction = hn::Sub(hn::And(column, mask), one_half);
      const auto delta = hn::Mul(hn::ConvertTo(d, fraction), unit);
      const auto z2 = hn::Mul(delta, inv_x);
      const auto power = hn::Mul(scale, hn::MulAdd(z1, z1, hn::Mul(z2, z2)));
      hn::Store(hn::Add(row, whole), di, run.offset + k);
      hn::Store(hn::And(carry, hn::Set(di, static_cast<I>(table_))), di, run.ratio + k);
      if constexpr (kMoments) {
        hn::Store(delta, d, run.delta + k);
        hn::Store(z1, d, run.z1 + k);
      }
      hn::Store(Exp2Nonpositive(d, hn::Max(power, least)), d, run.weight + k);
      column = hn::Add(column, hn::Set(di, static_cast<I>(lanes * fraction_)));
      row = hn::Add(row, hn::Set(di, static_cast<I>(lanes * (stride_ + whole_))));
      z1 = hn::Add(z1, hn::Set(d, static_cast<T>(static_cast<double>(lanes) * pixel_.inv_y)));
    }
  }

  const ResidualPixel& pixel_;
  Index stride_;
  Index origin_;  // from the block's first sample to row 0, column 0
  T* ratios_;
  Index table_;  // elements of one of the tables of ratios
  Index length_;
  Index row_ = 0;
  double half_;   // u of the last tap
  double power_;  // log2 h = power u (u - 2 delta)
  I whole_ = 0;   // of the slope
  I fraction_ = 0;
};

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
