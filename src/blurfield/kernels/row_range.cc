// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/row_range.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/row_range.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_INLINE RowRange<T> Range(const T* HWY_RESTRICT row, Index count) {
  const hn::CappedTag<T, 16> d;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  RowRange<T> range{row[0], row[0], T{0}, T{0}};
  Index i = 0;
  if (count >= lanes) {
    auto least = hn::LoadU(d, row);
    auto largest = least;
    auto sum = hn::Zero(d);
    auto squares = sum;
    for (; i + lanes <= count; i += lanes) {
      const auto v = hn::LoadU(d, row + i);
      least = hn::Min(least, v);
      largest = hn::Max(largest, v);
      sum = hn::Add(sum, v);
      squares = hn::MulAdd(v, v, squares);
    }
    range = {hn::GetLane(hn::MinOfLanes(d, least)), hn::GetLane(hn::MaxOfLanes(d, largest)),
             hn::GetLane(hn::SumOfLanes(d, sum)), hn::GetLane(hn::SumOfLanes(d, squares))};
  }
  for (; i < count; ++i) {
    range.least = std::min(range.least, row[i]);
    range.largest = std::max(range.largest, row[i]);
    range.sum += row[i];
    range.squares += row[i] * row[i];
  }
  return range;
}

RowRange<float> RangeFloat(const float* row, Index count) { return Range(row, count); }
RowRange<double> RangeDouble(const double* row, Index count) { return Range(row, count); }

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(RangeFloat);
HWY_EXPORT(RangeDouble);
}  // namespace

template <>
RowRange<float> row_range(const float* row, Index count) {
  return HWY_DYNAMIC_DISPATCH(RangeFloat)(row, count);
}
template <>
RowRange<double> row_range(const double* row, Index count) {
  return HWY_DYNAMIC_DISPATCH(RangeDouble)(row, count);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
