// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/row_products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/row_products.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::CappedTag<T, 16>;

// kCount vectors from column x on.
template <int kCount, class T>
HWY_INLINE void Columns(const T* const* a, const T* const* b, Index count, Index x, bool add,
                        T* HWY_RESTRICT out) {
  const Tag<T> d;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  hn::Vec<Tag<T>> sums[kCount];
  for (int q = 0; q < kCount; ++q) {
    sums[q] = add ? hn::LoadU(d, out + x + q * lanes) : hn::Zero(d);
  }
  for (Index t = 0; t < count; ++t) {
    const T* HWY_RESTRICT left = a[t] + x;
    const T* HWY_RESTRICT right = b[t] + x;
    for (int q = 0; q < kCount; ++q) {
      sums[q] =
          hn::MulAdd(hn::LoadU(d, left + q * lanes), hn::LoadU(d, right + q * lanes), sums[q]);
    }
  }
  for (int q = 0; q < kCount; ++q) hn::StoreU(sums[q], d, out + x + q * lanes);
}

template <class T>
HWY_INLINE void SumProducts(const T* const* a, const T* const* b, Index count, Index width,
                            bool add, T* HWY_RESTRICT out) {
  constexpr int kVectors = 4;
  const auto lanes = static_cast<Index>(hn::Lanes(Tag<T>()));
  Index x = 0;
  for (; x + kVectors * lanes <= width; x += kVectors * lanes) {
    Columns<kVectors>(a, b, count, x, add, out);
  }
  for (; x + lanes <= width; x += lanes) Columns<1>(a, b, count, x, add, out);
  for (; x < width; ++x) {
    T sum = add ? out[x] : T{0};
    for (Index t = 0; t < count; ++t) sum += a[t][x] * b[t][x];
    out[x] = sum;
  }
}

void ProductsFloat(const float* const* a, const float* const* b, Index count, Index width, bool add,
                   float* out) {
  SumProducts(a, b, count, width, add, out);
}
void ProductsDouble(const double* const* a, const double* const* b, Index count, Index width,
                    bool add, double* out) {
  SumProducts(a, b, count, width, add, out);
}

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(ProductsFloat);
HWY_EXPORT(ProductsDouble);
}  // namespace

template <>
void sum_products(const float* const* a, const float* const* b, Index count, Index width, bool add,
                  float* out) {
  HWY_DYNAMIC_DISPATCH(ProductsFloat)(a, b, count, width, add, out);
}
template <>
void sum_products(const double* const* a, const double* const* b, Index count, Index width,
                  bool add, double* out) {
  HWY_DYNAMIC_DISPATCH(ProductsDouble)(a, b, count, width, add, out);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
