// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/transpose.h"

#include <hwy/cache_control.h>

#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/transpose.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Squares of one vector per row: 256 bits, else 128, else one element.
#if HWY_TARGET == HWY_SCALAR
template <class T>
constexpr Index kSide = 1;
#elif HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
template <class T>
constexpr Index kSide = 32 / sizeof(T);
#else
template <class T>
constexpr Index kSide = 16 / sizeof(T);
#endif

template <class T>
using Tag = hn::FixedTag<T, kSide<T>>;

template <class T>
using Vec = hn::Vec<Tag<T>>;

#if HWY_TARGET == HWY_SCALAR
template <class T>
HWY_INLINE void TransposeSquare(Vec<T> (&)[1]) {}
#else
// Transposes 2 x 2 squares of the elements of D, which are T or groups of T, inside 128-bit blocks.
template <class D, class T>
HWY_INLINE void Interleave(D d, Vec<T>& a, Vec<T>& b) {
  const Tag<T> whole;
  const auto x = hn::BitCast(d, a);
  const auto y = hn::BitCast(d, b);
  a = hn::BitCast(whole, hn::InterleaveLower(d, x, y));
  b = hn::BitCast(whole, hn::InterleaveUpper(d, x, y));
}

#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
template <class T>
HWY_INLINE void SwapHalves(Vec<T>& a, Vec<T>& b) {
  const Tag<T> d;
  const Vec<T> low = hn::ConcatLowerLower(d, b, a);
  b = hn::ConcatUpperUpper(d, b, a);
  a = low;
}
#endif

template <class T>
HWY_INLINE void TransposeSquare(Vec<T> (&r)[kSide<T>]) {
  const hn::Repartition<double, Tag<T>> pairs;
  if constexpr (sizeof(T) == 8) {
    for (Index i = 0; i < kSide<T>; i += 2) Interleave<decltype(pairs), T>(pairs, r[i], r[i + 1]);
  } else {
    for (Index i = 0; i < kSide<T>; i += 4) {
      const Tag<T> d;
      Interleave<Tag<T>, T>(d, r[i], r[i + 1]);
      Interleave<Tag<T>, T>(d, r[i + 2], r[i + 3]);
      Interleave<decltype(pairs), T>(pairs, r[i], r[i + 2]);
      Interleave<decltype(pairs), T>(pairs, r[i + 1], r[i + 3]);
      const Vec<T> swap = r[i + 1];  // columns 0, 2, 1, 3
      r[i + 1] = r[i + 2];
      r[i + 2] = swap;
    }
  }
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  for (Index i = 0; i < kSide<T> / 2; ++i) SwapHalves<T>(r[i], r[i + kSide<T> / 2]);
#endif
}
#endif  // HWY_TARGET == HWY_SCALAR

// One square; NaN and infinity get through to `bad`.
template <Write kWrite, class T>
HWY_INLINE void Square(const T* HWY_RESTRICT in, Index in_stride, T* HWY_RESTRICT out,
                       Index out_stride, Vec<T>& bad) {
  const Tag<T> d;
  Vec<T> r[kSide<T>];
  for (Index i = 0; i < kSide<T>; ++i) r[i] = hn::LoadU(d, in + i * in_stride);
  TransposeSquare<T>(r);
  Vec<T> sum = hn::Zero(d);
  for (Index i = 0; i < kSide<T>; ++i) {
    T* to = out + i * out_stride;
    if constexpr (kWrite == Write::add) r[i] = hn::Add(r[i], hn::LoadU(d, to));
    if constexpr (kWrite == Write::stream) {
      hn::Stream(r[i], d, to);
    } else {
      hn::StoreU(r[i], d, to);
    }
    sum = hn::Add(sum, r[i]);
  }
  bad = hn::MulAdd(sum, hn::Zero(d), bad);
}

template <Write kWrite, class T>
HWY_INLINE bool Transpose(const T* in, Index in_stride, Index rows, Index columns, T* out,
                          Index out_stride) {
  const Index whole_rows = rows / kSide<T> * kSide<T>;
  const Index whole_columns = columns / kSide<T> * kSide<T>;
  Vec<T> bad = hn::Zero(Tag<T>());
  T rest = 0;
  for (Index x = 0; x < whole_columns; x += kSide<T>) {
    for (Index y = 0; y < whole_rows; y += kSide<T>) {
      Square<kWrite>(in + y * in_stride + x, in_stride, out + x * out_stride + y, out_stride, bad);
    }
  }
  for (Index x = 0; x < columns; ++x) {
    for (Index y = x < whole_columns ? whole_rows : 0; y < rows; ++y) {
      T& to = out[x * out_stride + y];
      to = in[y * in_stride + x] + (kWrite == Write::add ? to : T{0});
      rest += to * T{0};
    }
  }
  return std::isfinite(hn::GetLane(hn::SumOfLanes(Tag<T>(), bad)) + rest);
}

// Streams only to whole aligned vectors.
template <class T>
HWY_INLINE bool Choose(const T* in, Index in_stride, Index rows, Index columns, T* out,
                       Index out_stride, Write write) {
  if (write == Write::add) {
    return Transpose<Write::add>(in, in_stride, rows, columns, out, out_stride);
  }
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(out) % 64 == 0 && out_stride % kSide<T> == 0;
  if (write == Write::stream && aligned) {
    return Transpose<Write::stream>(in, in_stride, rows, columns, out, out_stride);
  }
  return Transpose<Write::plain>(in, in_stride, rows, columns, out, out_stride);
}

bool TransposeFloat(const float* in, Index in_stride, Index rows, Index columns, float* out,
                    Index out_stride, Write write) {
  return Choose(in, in_stride, rows, columns, out, out_stride, write);
}
bool TransposeDouble(const double* in, Index in_stride, Index rows, Index columns, double* out,
                     Index out_stride, Write write) {
  return Choose(in, in_stride, rows, columns, out, out_stride, write);
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
bool transpose(const float* in, Index in_stride, Index rows, Index columns, float* out,
               Index out_stride, Write write) {
  return HWY_DYNAMIC_DISPATCH(TransposeFloat)(in, in_stride, rows, columns, out, out_stride, write);
}
template <>
bool transpose(const double* in, Index in_stride, Index rows, Index columns, double* out,
               Index out_stride, Write write) {
  return HWY_DYNAMIC_DISPATCH(TransposeDouble)(in, in_stride, rows, columns, out, out_stride,
                                               write);
}

void finish_streams() { hwy::FlushStream(); }

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
