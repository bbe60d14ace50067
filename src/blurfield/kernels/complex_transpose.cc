// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/complex_transpose.h"

#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/complex_transpose.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Squares of one vector per row: 256 bits, else 128, else one number.
#if HWY_TARGET == HWY_SCALAR
template <class T>
constexpr Index kSide = 1;
#elif HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
template <class T>
constexpr Index kSide = 16 / sizeof(T);
#else
template <class T>
constexpr Index kSide = 8 / sizeof(T);
#endif

template <class T>
HWY_INLINE void Square(const std::complex<T>* HWY_RESTRICT from, [[maybe_unused]] Index from_pitch,
                       std::complex<T>* HWY_RESTRICT to, [[maybe_unused]] Index to_pitch) {
  if constexpr (kSide<T> == 1) {
    *to = *from;
  } else {
#if HWY_TARGET != HWY_SCALAR
    const hn::FixedTag<T, 2 * kSide<T>> d;
    const hn::FixedTag<std::uint64_t, kSide<float>> pairs;  // of floats
    using V = hn::Vec<decltype(d)>;
    V r[kSide<T>];
    for (Index i = 0; i < kSide<T>; ++i) {
      r[i] = hn::LoadU(d, reinterpret_cast<const T*>(from + i * from_pitch));
    }
    if constexpr (sizeof(T) == 4) {
      for (Index i = 0; i < kSide<T>; i += 2) {
        const auto a = hn::BitCast(pairs, r[i]);
        const auto b = hn::BitCast(pairs, r[i + 1]);
        r[i] = hn::BitCast(d, hn::InterleaveLower(pairs, a, b));
        r[i + 1] = hn::BitCast(d, hn::InterleaveUpper(pairs, a, b));
      }
    }
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
    constexpr Index kHalf = kSide<T> / 2;
    for (Index i = 0; i < kHalf; ++i) {
      const V low = hn::ConcatLowerLower(d, r[i + kHalf], r[i]);
      r[i + kHalf] = hn::ConcatUpperUpper(d, r[i + kHalf], r[i]);
      r[i] = low;
    }
#endif
    for (Index i = 0; i < kSide<T>; ++i) {
      hn::StoreU(r[i], d, reinterpret_cast<T*>(to + i * to_pitch));
    }
#endif
  }
}

// The longer axis is walked once, so that what is touched beside it stays in the cache.
template <class T>
HWY_INLINE void Transpose(const std::complex<T>* from, Index from_pitch, Index rows, Index columns,
                          std::complex<T>* to, Index to_pitch) {
  constexpr Index kStep = kSide<T>;
  const Index whole_rows = rows / kStep * kStep;
  const Index whole_columns = columns / kStep * kStep;
  const auto square = [&](Index y, Index x) HWY_ATTR {
    Square(from + y * from_pitch + x, from_pitch, to + x * to_pitch + y, to_pitch);
  };
  if (rows >= columns) {
    for (Index y = 0; y < whole_rows; y += kStep) {
      for (Index x = 0; x < whole_columns; x += kStep) square(y, x);
    }
  } else {
    for (Index x = 0; x < whole_columns; x += kStep) {
      for (Index y = 0; y < whole_rows; y += kStep) square(y, x);
    }
  }
  for (Index x = 0; x < columns; ++x) {
    for (Index y = x < whole_columns ? whole_rows : 0; y < rows; ++y) {
      to[x * to_pitch + y] = from[y * from_pitch + x];
    }
  }
}

void TransposeFloat(const std::complex<float>* from, Index from_pitch, Index rows, Index columns,
                    std::complex<float>* to, Index to_pitch) {
  Transpose(from, from_pitch, rows, columns, to, to_pitch);
}
void TransposeDouble(const std::complex<double>* from, Index from_pitch, Index rows, Index columns,
                     std::complex<double>* to, Index to_pitch) {
  Transpose(from, from_pitch, rows, columns, to, to_pitch);
}

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(TransposeFloat);
HWY_EXPORT(TransposeDouble);
}  // namespace

template <>
void transpose(const std::complex<float>* from, Index from_pitch, Index rows, Index columns,
               std::complex<float>* to, Index to_pitch) {
  HWY_DYNAMIC_DISPATCH(TransposeFloat)(from, from_pitch, rows, columns, to, to_pitch);
}
template <>
void transpose(const std::complex<double>* from, Index from_pitch, Index rows, Index columns,
               std::complex<double>* to, Index to_pitch) {
  HWY_DYNAMIC_DISPATCH(TransposeDouble)(from, from_pitch, rows, columns, to, to_pitch);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
