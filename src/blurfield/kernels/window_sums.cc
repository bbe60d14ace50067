// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/window_sums.h"

#include <algorithm>
#include <cmath>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/window_sums.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "blurfield/kernels/row_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

constexpr int kRows = static_cast<int>(kWindowRows);
constexpr int kLoneTile = 8;  // vectors of a lone row

// Row a of a column of kTaps < 6 taps reaches output rows a - kTaps + 1..a.
template <int kTaps, class T, class Sums, int... a>
HWY_INLINE void ShortColumn(const T* const* rows, Index at, const T* weights, Sums& sums,
                            std::integer_sequence<int, a...> /*all*/) {
  (sums.template add_row<std::max(0, a - kTaps + 1), std::min(kRows, a + 1)>(rows[a] + at,
                                                                             weights + a, -1),
   ...);
}

// Columns of 6 and more taps. `flush` is called after every `most` taps where columns are tall:
// even a call that never happens would cost registers.
template <bool kTall, class T, class Sums, class Flush>
HWY_INLINE void LongColumn(const T* const* rows, Index at, const T* weights, Index taps, Index most,
                           Sums& sums, const Flush& flush) {
  sums.template add_row<0, 1>(rows[0] + at, weights, -1);
  sums.template add_row<0, 2>(rows[1] + at, weights + 1, -1);
  sums.template add_row<0, 3>(rows[2] + at, weights + 2, -1);
  sums.template add_row<0, 4>(rows[3] + at, weights + 3, -1);
  sums.template add_row<0, 5>(rows[4] + at, weights + 4, -1);
  Index a = 5;
  for (; a < taps; ++a) {
    if constexpr (kTall) {
      if (a % most == 0) flush();
    }
    sums.template add_row<0, 6>(rows[a] + at, weights + a, -1);
  }
  sums.template add_row<1, 6>(rows[a] + at, weights + a, -1);
  sums.template add_row<2, 6>(rows[a + 1] + at, weights + a + 1, -1);
  sums.template add_row<3, 6>(rows[a + 2] + at, weights + a + 2, -1);
  sums.template add_row<4, 6>(rows[a + 3] + at, weights + a + 3, -1);
  sums.template add_row<5, 6>(rows[a + 4] + at, weights + a + 4, -1);
}

// The same for a single row.
template <bool kTall, class T, class Sums, class Flush>
HWY_INLINE void LoneColumn(const T* const* rows, Index at, const T* weights, Index taps, Index most,
                           Sums& sums, const Flush& flush) {
  for (Index a = 0; a < taps; ++a) {
    if constexpr (kTall) {
      if (a > 0 && a % most == 0) flush();
    }
    sums.template add_row<0, 1>(rows[a] + at, weights + a, 0);
  }
}

constexpr int kAnyTaps = 0;    // 6..kWindowRun in blocks of rows, 1.. in single ones
constexpr int kTallTaps = -1;  // more

// Sums of kSumRows rows over all columns of all planes, `pitch` rows apart. kTaps: of a column.
template <int kSumRows, int kCols, int kTaps, class T>
HWY_INLINE bool SumTile(const WindowSums<T>& in, Index x, T* out, Index stride, Index pitch,
                        Index most) {
  TileSums<kSumRows, kCols, T> sums;
  bool add = false;
  bool finite = true;
  const auto flush = [&]() HWY_ATTR {
    finite = sums.finite() && finite;
    sums.put(out, stride, add);
    sums.clear();
    add = true;
  };
  sums.clear();
  Index run = 0;
  const T* weights = in.weights;
  for (Index p = 0; p < in.planes; ++p) {
    const T* const* rows = in.rows + p * pitch;
    for (Index j = 0; j < in.columns; ++j, weights += in.taps) {
      run += in.taps;
      if (run > most && run > in.taps) {
        flush();
        run = in.taps;
      }
      const Index at = in.offsets[j] + x;
      constexpr bool kTall = kTaps == kTallTaps;
      if constexpr (kTaps > 0) {
        ShortColumn<kTaps>(rows, at, weights, sums,
                           std::make_integer_sequence<int, kTaps + kRows - 1>());
      } else if constexpr (kSumRows > 1) {
        LongColumn<kTall>(rows, at, weights, in.taps, most, sums, flush);
      } else {
        LoneColumn<kTall>(rows, at, weights, in.taps, most, sums, flush);
      }
    }
  }
  sums.put(out, stride, add);
  return sums.finite() && finite;
}

// Tiles of kCols vectors. The last one is moved left to end at `width`: what is computed twice
// comes out the same.
template <int kSumRows, int kCols, int kTaps, class T>
HWY_NOINLINE bool SumTiles(const WindowSums<T>& in, Index width, T* out, Index stride,
                           Index pitch) {
  const Index tile = kCols * RowLanes<T>();
  const auto total = static_cast<double>(in.planes * in.columns * in.taps);
  const Index most = std::max(kWindowRun, static_cast<Index>(std::sqrt(total)));
  bool finite = true;
  for (Index x = 0; x < width; x += tile) {
    const Index at = std::min(x, width - tile);
    finite = SumTile<kSumRows, kCols, kTaps>(in, at, out + at, stride, pitch, most) && finite;
  }
  return finite;
}

template <class T>
bool Lone(const WindowSums<T>& in, Index width, T* out, Index pitch) {
  if (in.taps > kWindowRun) return SumTiles<1, 1, kTallTaps>(in, width, out, 0, pitch);
  if (width < kLoneTile * RowLanes<T>()) {
    return SumTiles<1, 1, kAnyTaps>(in, width, out, 0, pitch);
  }
  return SumTiles<1, kLoneTile, kAnyTaps>(in, width, out, 0, pitch);
}

// Blocks narrower than a tile.
template <class T>
bool NarrowSix(const WindowSums<T>& in, Index width, T* out, Index stride, Index pitch) {
  if (in.taps >= kRows) return SumTiles<kRows, 1, kTallTaps>(in, width, out, stride, pitch);
  bool finite = true;
  WindowSums<T> row = in;
  for (Index r = 0; r < kRows; ++r, ++row.rows) {
    finite = Lone(row, width, out + r * stride, pitch) && finite;
  }
  return finite;
}

template <class T>
bool Six(const WindowSums<T>& in, Index width, T* out, Index stride) {
  const Index pitch = in.taps + kRows - 1;
  if (width < kTile * RowLanes<T>()) return NarrowSix(in, width, out, stride, pitch);
  switch (in.taps) {
    case 1:
      return SumTiles<kRows, kTile, 1>(in, width, out, stride, pitch);
    case 2:
      return SumTiles<kRows, kTile, 2>(in, width, out, stride, pitch);
    case 3:
      return SumTiles<kRows, kTile, 3>(in, width, out, stride, pitch);
    case 4:
      return SumTiles<kRows, kTile, 4>(in, width, out, stride, pitch);
    case 5:
      return SumTiles<kRows, kTile, 5>(in, width, out, stride, pitch);
    default:
      return in.taps > kWindowRun ? SumTiles<kRows, kTile, kTallTaps>(in, width, out, stride, pitch)
                                  : SumTiles<kRows, kTile, kAnyTaps>(in, width, out, stride, pitch);
  }
}

bool SixFloat(const WindowSums<float>& in, Index width, float* out, Index stride) {
  return Six(in, width, out, stride);
}
bool SixDouble(const WindowSums<double>& in, Index width, double* out, Index stride) {
  return Six(in, width, out, stride);
}
bool LoneFloat(const WindowSums<float>& in, Index width, float* out) {
  return Lone(in, width, out, in.taps);
}
bool LoneDouble(const WindowSums<double>& in, Index width, double* out) {
  return Lone(in, width, out, in.taps);
}

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(SixFloat);
HWY_EXPORT(SixDouble);
HWY_EXPORT(LoneFloat);
HWY_EXPORT(LoneDouble);
}  // namespace

template <>
bool six_rows(const WindowSums<float>& sums, Index width, float* out, Index out_stride) {
  return HWY_DYNAMIC_DISPATCH(SixFloat)(sums, width, out, out_stride);
}
template <>
bool six_rows(const WindowSums<double>& sums, Index width, double* out, Index out_stride) {
  return HWY_DYNAMIC_DISPATCH(SixDouble)(sums, width, out, out_stride);
}
template <>
bool one_row(const WindowSums<float>& sums, Index width, float* out) {
  return HWY_DYNAMIC_DISPATCH(LoneFloat)(sums, width, out);
}
template <>
bool one_row(const WindowSums<double>& sums, Index width, double* out) {
  return HWY_DYNAMIC_DISPATCH(LoneDouble)(sums, width, out);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
