// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/complex_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/complex_product.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::CappedTag<T, 16>;

template <class T>
using Vec = hn::Vec<Tag<T>>;

// Real and imaginary parts alternate in memory and in vectors.
template <class T>
HWY_INLINE std::complex<T> Product(std::complex<T> a, std::complex<T> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

#if HWY_TARGET != HWY_SCALAR
template <class T>
HWY_INLINE Index Numbers() {
  return static_cast<Index>(hn::Lanes(Tag<T>())) / 2;
}

// A sum of products a b, in two parts: of a's real parts with b, of a's imaginary parts with b
// swapped; their difference and sum are the real and imaginary parts of the whole.
template <class T>
struct Sum {
  Vec<T> real;
  Vec<T> imag;

  HWY_INLINE Sum() : real(hn::Zero(Tag<T>())), imag(hn::Zero(Tag<T>())) {}
  HWY_INLINE void add(Vec<T> a, Vec<T> b) {
    const Tag<T> d;
    real = hn::MulAdd(hn::DupEven(a), b, real);
    imag = hn::MulAdd(hn::DupOdd(a), hn::Reverse2(d, b), imag);
  }
  HWY_INLINE Vec<T> get() const { return hn::OddEven(hn::Add(real, imag), hn::Sub(real, imag)); }
};
#endif

template <class T>
HWY_INLINE void SumProducts(const std::complex<T>* a, Index a_step, const std::complex<T>* b,
                            Index b_step, Index terms, Index count, std::complex<T>* out) {
  Index i = 0;
#if HWY_TARGET != HWY_SCALAR
  const Tag<T> d;
  const auto load = [d](const std::complex<T>* from)
                        HWY_ATTR { return hn::LoadU(d, reinterpret_cast<const T*>(from)); };
  const Index step = Numbers<T>();
  for (; i + 2 * step <= count; i += 2 * step) {
    Sum<T> low;
    Sum<T> high;
    for (Index t = 0; t < terms; ++t) {
      const std::complex<T>* p = a + t * a_step + i;
      const std::complex<T>* q = b + t * b_step + i;
      low.add(load(p), load(q));
      high.add(load(p + step), load(q + step));
    }
    hn::StoreU(low.get(), d, reinterpret_cast<T*>(out + i));
    hn::StoreU(high.get(), d, reinterpret_cast<T*>(out + i + step));
  }
#endif
  for (; i < count; ++i) {
    std::complex<T> sum = 0;
    for (Index t = 0; t < terms; ++t) sum += Product(a[t * a_step + i], b[t * b_step + i]);
    out[i] = sum;
  }
}

template <class T>
HWY_INLINE void AddConjugateProduct(const std::complex<T>* a, const std::complex<T>* b, Index count,
                                    std::complex<T>* out) {
  Index i = 0;
#if HWY_TARGET != HWY_SCALAR
  const Tag<T> d;
  // a conj(b): the parts of b swap roles, and the imaginary one its sign.
  for (; i + Numbers<T>() <= count; i += Numbers<T>()) {
    T* to = reinterpret_cast<T*>(out + i);
    const Vec<T> x = hn::LoadU(d, reinterpret_cast<const T*>(a + i));
    const Vec<T> y = hn::LoadU(d, reinterpret_cast<const T*>(b + i));
    const Vec<T> sum = hn::MulAdd(hn::DupEven(y), x, hn::LoadU(d, to));
    const Vec<T> cross = hn::Mul(hn::DupOdd(y), hn::Reverse2(d, x));
    hn::StoreU(hn::OddEven(hn::Sub(sum, cross), hn::Add(sum, cross)), d, to);
  }
#endif
  for (; i < count; ++i) out[i] += Product(a[i], std::conj(b[i]));
}

void SumProductsFloat(const std::complex<float>* a, Index a_step, const std::complex<float>* b,
                      Index b_step, Index terms, Index count, std::complex<float>* out) {
  SumProducts(a, a_step, b, b_step, terms, count, out);
}
void SumProductsDouble(const std::complex<double>* a, Index a_step, const std::complex<double>* b,
                       Index b_step, Index terms, Index count, std::complex<double>* out) {
  SumProducts(a, a_step, b, b_step, terms, count, out);
}
void AddConjugateFloat(const std::complex<float>* a, const std::complex<float>* b, Index count,
                       std::complex<float>* out) {
  AddConjugateProduct(a, b, count, out);
}
void AddConjugateDouble(const std::complex<double>* a, const std::complex<double>* b, Index count,
                        std::complex<double>* out) {
  AddConjugateProduct(a, b, count, out);
}

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(SumProductsFloat);
HWY_EXPORT(SumProductsDouble);
HWY_EXPORT(AddConjugateFloat);
HWY_EXPORT(AddConjugateDouble);
}  // namespace

template <>
void sum_products(const std::complex<float>* a, Index a_step, const std::complex<float>* b,
                  Index b_step, Index terms, Index count, std::complex<float>* out) {
  HWY_DYNAMIC_DISPATCH(SumProductsFloat)(a, a_step, b, b_step, terms, count, out);
}
template <>
void sum_products(const std::complex<double>* a, Index a_step, const std::complex<double>* b,
                  Index b_step, Index terms, Index count, std::complex<double>* out) {
  HWY_DYNAMIC_DISPATCH(SumProductsDouble)(a, a_step, b, b_step, terms, count, out);
}
template <>
void add_conjugate_product(const std::complex<float>* a, const std::complex<float>* b, Index count,
                           std::complex<float>* out) {
  HWY_DYNAMIC_DISPATCH(AddConjugateFloat)(a, b, count, out);
}
template <>
void add_conjugate_product(const std::complex<double>* a, const std::complex<double>* b,
                           Index count, std::complex<double>* out) {
  HWY_DYNAMIC_DISPATCH(AddConjugateDouble)(a, b, count, out);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
