// SPDX-License-Identifier: BSD-3-Clause
// A tile of weighted sums of rows, kRows x kCols vectors in registers.
#if defined(BLURFIELD_KERNELS_ROW_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BLURFIELD_KERNELS_ROW_SUMS_INL_H_
#undef BLURFIELD_KERNELS_ROW_SUMS_INL_H_
#else
#define BLURFIELD_KERNELS_ROW_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include <utility>

#include "blurfield/base/view.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Vectors per row of a tile of six rows: 6 x 2 sums fill 16 registers, 6 x 3 fit well into 32.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr int kTile = 3;
#else
inline constexpr int kTile = 2;
#endif

template <class T>
using RowTag = hn::CappedTag<T, 16>;

template <class T>
HWY_INLINE Index RowLanes() {
  return static_cast<Index>(hn::Lanes(RowTag<T>()));
}

// A row of kCols sums. Written out by fold expressions: of loops, compilers leave copies in memory.
template <int kCols, class T, class Columns = std::make_integer_sequence<int, kCols>>
struct RowOfSums;

template <int kCols, class T, int... q>
struct RowOfSums<kCols, T, std::integer_sequence<int, q...>> {
  hn::Vec<RowTag<T>> v[kCols];

  HWY_INLINE void clear() { ((v[q] = hn::Zero(RowTag<T>())), ...); }
  HWY_INLINE void store(T* out) const {
    (hn::StoreU(v[q], RowTag<T>(), out + q * RowLanes<T>()), ...);
  }
  HWY_INLINE void add_to(T* out) const {
    (hn::StoreU(hn::Add(hn::LoadU(RowTag<T>(), out + q * RowLanes<T>()), v[q]), RowTag<T>(),
                out + q * RowLanes<T>()),
     ...);
  }
  HWY_INLINE void load(const T* from) {
    ((v[q] = hn::LoadU(RowTag<T>(), from + q * RowLanes<T>())), ...);
  }
  HWY_INLINE void multiply_add(hn::Vec<RowTag<T>> weight, const RowOfSums& row) {
    ((v[q] = hn::MulAdd(weight, row.v[q], v[q])), ...);
  }
  // 0, or NaN where a sum is not finite.
  HWY_INLINE hn::Vec<RowTag<T>> nothing() const {
    auto sum = hn::Zero(RowTag<T>());
    ((sum = hn::MulAdd(v[q], hn::Zero(RowTag<T>()), sum)), ...);
    return sum;
  }
};

template <int kRows, int kCols, class T, class Rows = std::make_integer_sequence<int, kRows>>
struct TileSums;

template <int kRows, int kCols, class T, int... j>
struct TileSums<kRows, kCols, T, std::integer_sequence<int, j...>> {
  RowOfSums<kCols, T> rows[kRows];

  HWY_INLINE void clear() { (rows[j].clear(), ...); }
  // Stores, or adds to what an earlier run left there.
  HWY_INLINE void put(T* out, Index stride, bool add) const {
    if (add) {
      (rows[j].add_to(out + j * stride), ...);
    } else {
      (rows[j].store(out + j * stride), ...);
    }
  }
  // Whether all sums are finite.
  HWY_INLINE bool finite() const {
    const RowTag<T> d;
    const auto zero = (hn::Zero(d) + ... + rows[j].nothing());
    return hn::AllTrue(d, hn::Eq(zero, zero));
  }
  // Adds a row, weighted by weights[i * step], to sums i = kFirst..kLast-1.
  template <int kFirst, int kLast>
  HWY_INLINE void add_row(const T* HWY_RESTRICT row, const T* HWY_RESTRICT weights, Index step) {
    RowOfSums<kCols, T> pixels;
    pixels.load(row);
    const auto add = [&](int i) HWY_ATTR {
      if (i >= kFirst && i < kLast) {
        rows[i].multiply_add(hn::Set(RowTag<T>(), weights[i * step]), pixels);
      }
    };
    (add(j), ...);
  }
};

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
