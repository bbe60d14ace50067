// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/node_mix.h"

#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/node_mix.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After highway.h, once per target.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::CappedTag<T, kNodePad>;

template <class T>
void LogSigma(const T* HWY_RESTRICT sigma, T least, T scale, Index count, T* HWY_RESTRICT u,
              T* HWY_RESTRICT inverse) {
  const Tag<T> d;
  const auto floor = hn::Set(d, least);
  for (Index i = 0; i < count; i += static_cast<Index>(hn::Lanes(d))) {
    const auto s = hn::LoadU(d, sigma + i);
    hn::StoreU(hn::Log(d, hn::Mul(hn::Max(s, floor), hn::Set(d, scale))), d, u + i);
    hn::StoreU(hn::IfThenElseZero(hn::Ge(s, floor), hn::Div(hn::Set(d, T{1}), s)), d, inverse + i);
  }
}

// Pixels of type T that are computed with in C.
template <class C>
using Numbers = hn::Vec<Tag<C>>;

template <class C, class T>
HWY_INLINE Numbers<C> Read(const T* from) {
  const Tag<C> d;
  if constexpr (std::is_same_v<C, T>) {
    return hn::LoadU(d, from);
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<T, Tag<C>>(), from));
  }
}
template <class C, class T>
HWY_INLINE void Write(Numbers<C> v, T* to) {
  const Tag<C> d;
  if constexpr (std::is_same_v<C, T>) {
    hn::StoreU(v, d, to);
  } else {
    const hn::Rebind<T, Tag<C>> narrow;
    hn::StoreU(hn::DemoteTo(narrow, v), narrow, to);
  }
}

template <class C>
struct Value {
  Numbers<C> c, slope;
};

// c(u), and dc/du if kSlope.
template <bool kSlope, class C>
HWY_INLINE Value<C> Evaluate(const NodePolynomial& p, Numbers<C> u) {
  const Tag<C> d;
  auto c = hn::Set(d, C{1});
  auto slope = hn::Zero(d);
  for (Index j = 0; j < p.count; ++j) {
    const auto scale = hn::Set(d, static_cast<C>(p.scales[j]));
    const auto factor = hn::Mul(hn::Sub(u, hn::Set(d, static_cast<C>(p.roots[j]))), scale);
    if constexpr (kSlope) slope = hn::MulAdd(slope, factor, hn::Mul(c, scale));
    c = hn::Mul(c, factor);
  }
  const auto own = hn::And(hn::Ge(u, hn::Set(d, static_cast<C>(p.from))),
                           hn::Lt(u, hn::Set(d, static_cast<C>(p.to))));
  return {hn::IfThenElseZero(own, c), hn::IfThenElseZero(own, slope)};
}

// Coefficient and its derivatives by u_y and u_x.
template <class C>
struct Coefficient {
  Numbers<C> c, y, x;
};

template <class C, bool kPair, bool kSlope, class T>
HWY_INLINE Coefficient<C> Of(const NodePair<T>& node, Index i) {
  const auto y = Evaluate<kSlope, C>(node.y, Read<C>(node.u_y + i));
  if constexpr (kPair) {
    const auto x = Evaluate<kSlope, C>(node.x, Read<C>(node.u_x + i));
    return {hn::Mul(y.c, x.c), hn::Mul(y.slope, x.c), hn::Mul(y.c, x.slope)};
  } else {
    return {y.c, y.slope, hn::Zero(Tag<C>())};
  }
}

template <class C, class T>
HWY_INLINE void Add(Numbers<C> a, Numbers<C> b, T* HWY_RESTRICT to) {
  Write<C>(hn::MulAdd(a, b, Read<C>(to)), to);
}

template <class C, bool kPair, bool kSlope, class T>
HWY_INLINE void MixAll(const NodePair<T>& node, const T* v, Index count, T* value, T* slope_y,
                       T* slope_x) {
  for (Index i = 0; i < count; i += static_cast<Index>(hn::Lanes(Tag<C>()))) {
    const auto c = Of<C, kPair, kSlope>(node, i);
    const auto pixel = Read<C>(v + i);
    if (value) Add<C>(c.c, pixel, value + i);
    if constexpr (kSlope) {
      Add<C>(c.y, pixel, slope_y + i);
      if constexpr (kPair) Add<C>(c.x, pixel, slope_x + i);
    }
  }
}

template <class C, class T>
HWY_INLINE void MixIn(const NodePair<T>& node, const T* v, Index count, T* value, T* slope_y,
                      T* slope_x) {
  if (node.u_x) {
    slope_y ? MixAll<C, true, true>(node, v, count, value, slope_y, slope_x)
            : MixAll<C, true, false>(node, v, count, value, slope_y, slope_x);
  } else {
    slope_y ? MixAll<C, false, true>(node, v, count, value, slope_y, slope_x)
            : MixAll<C, false, false>(node, v, count, value, slope_y, slope_x);
  }
}

template <class C, bool kPair, bool kSlope, class T>
HWY_INLINE void ShareAll(const NodePair<T>& node, const T* value, const T* along_y,
                         const T* along_x, Index count, T* out) {
  const Tag<C> d;
  for (Index i = 0; i < count; i += static_cast<Index>(hn::Lanes(d))) {
    const auto c = Of<C, kPair, kSlope>(node, i);
    auto sum = value ? hn::Mul(c.c, Read<C>(value + i)) : hn::Zero(d);
    if constexpr (kSlope) {
      sum = hn::MulAdd(c.y, Read<C>(along_y + i), sum);
      if constexpr (kPair) sum = hn::MulAdd(c.x, Read<C>(along_x + i), sum);
    }
    Write<C>(sum, out + i);
  }
}

template <class C, class T>
HWY_INLINE void ShareIn(const NodePair<T>& node, const T* value, const T* along_y, const T* along_x,
                        Index count, T* out) {
  if (node.u_x) {
    along_y ? ShareAll<C, true, true>(node, value, along_y, along_x, count, out)
            : ShareAll<C, true, false>(node, value, along_y, along_x, count, out);
  } else {
    along_y ? ShareAll<C, false, true>(node, value, along_y, along_x, count, out)
            : ShareAll<C, false, false>(node, value, along_y, along_x, count, out);
  }
}

template <class T>
HWY_INLINE bool Few(const NodePair<T>& node) {
  return node.y.count <= kFewRoots && (!node.u_x || node.x.count <= kFewRoots);
}
template <class T>
HWY_INLINE void Mix(const NodePair<T>& node, const T* v, Index count, T* value, T* slope_y,
                    T* slope_x) {
  Few(node) ? MixIn<T>(node, v, count, value, slope_y, slope_x)
            : MixIn<double>(node, v, count, value, slope_y, slope_x);
}
template <class T>
HWY_INLINE void Share(const NodePair<T>& node, const T* value, const T* along_y, const T* along_x,
                      Index count, T* out) {
  Few(node) ? ShareIn<T>(node, value, along_y, along_x, count, out)
            : ShareIn<double>(node, value, along_y, along_x, count, out);
}

void LogFloat(const float* sigma, float least, float scale, Index count, float* u, float* inverse) {
  LogSigma(sigma, least, scale, count, u, inverse);
}
void LogDouble(const double* sigma, double least, double scale, Index count, double* u,
               double* inverse) {
  LogSigma(sigma, least, scale, count, u, inverse);
}
void MixFloat(const NodePair<float>& node, const float* v, Index count, float* value,
              float* slope_y, float* slope_x) {
  Mix(node, v, count, value, slope_y, slope_x);
}
void MixDouble(const NodePair<double>& node, const double* v, Index count, double* value,
               double* slope_y, double* slope_x) {
  Mix(node, v, count, value, slope_y, slope_x);
}
void ShareFloat(const NodePair<float>& node, const float* value, const float* along_y,
                const float* along_x, Index count, float* out) {
  Share(node, value, along_y, along_x, count, out);
}
void ShareDouble(const NodePair<double>& node, const double* value, const double* along_y,
                 const double* along_x, Index count, double* out) {
  Share(node, value, along_y, along_x, count, out);
}

}  // namespace
}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {
namespace {
HWY_EXPORT(LogFloat);
HWY_EXPORT(LogDouble);
HWY_EXPORT(MixFloat);
HWY_EXPORT(MixDouble);
HWY_EXPORT(ShareFloat);
HWY_EXPORT(ShareDouble);
}  // namespace

template <>
void log_sigma(const float* sigma, float least, float scale, Index count, float* u,
               float* inverse) {
  HWY_DYNAMIC_DISPATCH(LogFloat)(sigma, least, scale, count, u, inverse);
}
template <>
void log_sigma(const double* sigma, double least, double scale, Index count, double* u,
               double* inverse) {
  HWY_DYNAMIC_DISPATCH(LogDouble)(sigma, least, scale, count, u, inverse);
}
template <>
void node_mix(const NodePair<float>& node, const float* v, Index count, float* value,
              float* slope_y, float* slope_x) {
  HWY_DYNAMIC_DISPATCH(MixFloat)(node, v, count, value, slope_y, slope_x);
}
template <>
void node_mix(const NodePair<double>& node, const double* v, Index count, double* value,
              double* slope_y, double* slope_x) {
  HWY_DYNAMIC_DISPATCH(MixDouble)(node, v, count, value, slope_y, slope_x);
}
template <>
void node_share(const NodePair<float>& node, const float* value, const float* along_y,
                const float* along_x, Index count, float* out) {
  HWY_DYNAMIC_DISPATCH(ShareFloat)(node, value, along_y, along_x, count, out);
}
template <>
void node_share(const NodePair<double>& node, const double* value, const double* along_y,
                const double* along_x, Index count, double* out) {
  HWY_DYNAMIC_DISPATCH(ShareDouble)(node, value, along_y, along_x, count, out);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
