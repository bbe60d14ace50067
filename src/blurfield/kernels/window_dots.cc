// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/window_dots.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/window_dots.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kRows = static_cast<int>(kDotRows);
constexpr int kColumns = static_cast<int>(kDotColumns);

template <class T>
struct Dots {
  using D = hn::CappedTag<T, 16>;
  hn::Vec<D> v[kRows][kColumns];

  HWY_INLINE void clear() {
    for (auto& row : v) {
      for (auto& sum : row) sum = hn::Zero(D());
    }
  }
  // Moves the sums on and clears them.
  HWY_INLINE void flush(double* dots) {
    const D d;
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kColumns; ++j) {
        dots[i * kColumns + j] += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v[i][j])));
      }
    }
    clear();
  }
};

template <class T>
HWY_INLINE void AllDots(const T* const* a, const T* const* b, Index step, const Index* offsets,
                        Index rows, Index width, double* dots) {
  const typename Dots<T>::D d;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  const Index whole = width / lanes * lanes;
  Dots<T> sums;
  sums.clear();
  Index run = 0;
  for (Index r = 0; r < rows; ++r) {
    const T* const* windows = b + r * step;
    for (Index x = 0; x < whole; x += lanes) {
      if (++run > kDotRun) {
        sums.flush(dots);
        run = 1;
      }
      const auto left = hn::LoadU(d, a[r] + x);
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kColumns; ++j) {
          const auto right = hn::LoadU(d, windows[i] + offsets[j] + x);
          sums.v[i][j] = hn::MulAdd(left, right, sums.v[i][j]);
        }
      }
    }
    for (Index x = whole; x < width; ++x) {
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kColumns; ++j) {
          dots[i * kColumns + j] +=
              static_cast<double>(a[r][x]) * static_cast<double>(windows[i][offsets[j] + x]);
        }
      }
    }
  }
  sums.flush(dots);
}

void DotsFloat(const float* const* a, const float* const* b, Index step, const Index* offsets,
               Index rows, Index width, double* dots) {
  AllDots(a, b, step, offsets, rows, width, dots);
}
void DotsDouble(const double* const* a, const double* const* b, Index step, const Index* offsets,
                Index rows, Index width, double* dots) {
  AllDots(a, b, step, offsets, rows, width, dots);
}

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(DotsFloat);
HWY_EXPORT(DotsDouble);
}  // namespace

template <>
void window_dots(const float* const* a, const float* const* b, Index step, const Index* offsets,
                 Index rows, Index width, double* dots) {
  HWY_DYNAMIC_DISPATCH(DotsFloat)(a, b, step, offsets, rows, width, dots);
}
template <>
void window_dots(const double* const* a, const double* const* b, Index step, const Index* offsets,
                 Index rows, Index width, double* dots) {
  HWY_DYNAMIC_DISPATCH(DotsDouble)(a, b, step, offsets, rows, width, dots);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
