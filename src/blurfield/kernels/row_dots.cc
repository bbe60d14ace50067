// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/row_dots.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/row_dots.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_INLINE void Dots(const T* HWY_RESTRICT row, const Window1d<T>* HWY_RESTRICT windows,
                     Index count, T* HWY_RESTRICT out) {
  const hn::CappedTag<T, kDotPad> d;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  for (Index i = 0; i < count; ++i) {
    const T* from = row + windows[i].first;
    const T* weights = windows[i].weights;
    const Index taps = windows[i].count;
    auto even = hn::Zero(d);
    auto odd = hn::Zero(d);
    Index k = 0;
    for (; k + lanes < taps; k += 2 * lanes) {
      even = hn::MulAdd(hn::LoadU(d, weights + k), hn::LoadU(d, from + k), even);
      odd = hn::MulAdd(hn::LoadU(d, weights + k + lanes), hn::LoadU(d, from + k + lanes), odd);
    }
    if (k < taps) even = hn::MulAdd(hn::LoadU(d, weights + k), hn::LoadU(d, from + k), even);
    out[i] = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
  }
}

void DotsFloat(const float* row, const Window1d<float>* windows, Index count, float* out) {
  Dots(row, windows, count, out);
}
void DotsDouble(const double* row, const Window1d<double>* windows, Index count, double* out) {
  Dots(row, windows, count, out);
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
void row_dots(const float* row, const Window1d<float>* windows, Index count, float* out) {
  HWY_DYNAMIC_DISPATCH(DotsFloat)(row, windows, count, out);
}
template <>
void row_dots(const double* row, const Window1d<double>* windows, Index count, double* out) {
  HWY_DYNAMIC_DISPATCH(DotsDouble)(row, windows, count, out);
}
}  // namespace blurfield::kernels
#endif  // HWY_ONCE
