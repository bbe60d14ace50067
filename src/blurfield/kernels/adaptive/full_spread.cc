// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/adaptive/full.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/adaptive/full_spread.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "blurfield/kernels/adaptive/full_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

// The transpose of LoadPair.
template <class T, class D>
HWY_INLINE void AddPair(D d, hn::Vec<D> v, T* HWY_RESTRICT plane, Index stride, Index slot,
                        Index column, Index dx) {
  T* above = plane + 2 * slot * stride + column;
  T* below = above + stride + dx;
  above -= dx + static_cast<Index>(hn::Lanes(d)) - 1;
  hn::StoreU(hn::Add(hn::LoadU(d, below), v), d, below);
  hn::StoreU(hn::Add(hn::LoadU(d, above), hn::Reverse(d, v)), d, above);
}

template <class T, int kPlanes, bool kAlong>
void Spread(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,
            const FullRows<T>& rows, const T* value, const T* along) {
  const Tag<T> d;
  for (Index i = 0; i < count; ++i) {
    const FullPixel& pixel = pixels[i];
    const FullPolynomial poly = kAlong ? polynomials[i] : FullPolynomial{};
    const auto z2sq = hn::Set(d, static_cast<T>(poly.z2sq));
    ForWeights<T>(
        pixel, rows.k0, rows.k1,
        [&](Index k, double z1, Index dx, auto g, auto z2) HWY_ATTR {
          auto slope = g;
          if constexpr (kAlong) {
            const auto row_one = hn::Set(d, static_cast<T>(poly.one + poly.z1sq * z1 * z1));
            const auto row_z2 = hn::Set(d, static_cast<T>(poly.z1z2 * z1));
            slope = hn::Mul(g, hn::MulAdd(hn::MulAdd(z2sq, z2, row_z2), z2, row_one));
          }
          (void)z1;
          (void)z2;
          for (int c = 0; c < kPlanes; ++c) {
            auto v = hn::Mul(g, hn::Set(d, value[c * count + i]));
            if constexpr (kAlong) v = hn::MulAdd(slope, hn::Set(d, along[c * count + i]), v);
            AddPair(d, v, rows.plane[c], rows.stride, k - rows.k0, pixel.column, dx);
          }
        },
        [](double) HWY_ATTR {});
    if (rows.k0 > 0) continue;
    for (int c = 0; c < kPlanes; ++c) {
      T centre = value[c * count + i];
      if (kAlong) centre += along[c * count + i] * static_cast<T>(poly.one);
      rows.plane[c][pixel.column] += centre;
    }
  }
}

// kGathered counts the planes of src: none, or as many as are spread. The norm is summed in the
// same way for both, so that results do not depend on who asked for moments.
template <class T, int kPlanes, int kGathered>
void SpreadOnce(const FullPixel* pixels, Index count, const FullRows<const T>& src,
                const FullRows<T>& out, const T* value, FullMoments* moments, T* kept) {
  const Tag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  for (Index i = 0; i < count; ++i) {
    const FullPixel& pixel = pixels[i];
    T* at = kept;
    const auto keep = [&at, lanes](auto power, auto inside) HWY_ATTR {
      const auto g = MakeWeights<T>()(power, inside);
      hn::StoreU(g, Tag<T>(), at);
      at += lanes;
      return g;
    };
    PixelMoments<T, kGathered>(pixel, src, value + i, count, keep, moments[i]);
    const T scale = static_cast<T>(1.0 / moments[i].norm[0]);
    at = kept;
    const auto again = [&at, lanes](auto, auto) HWY_ATTR {
      const auto g = hn::LoadU(Tag<T>(), at);
      at += lanes;
      return g;
    };
    hn::Vec<decltype(d)> factor[kPlanes];
    for (int c = 0; c < kPlanes; ++c) factor[c] = hn::Set(d, scale * value[c * count + i]);
    ForRows<T>(
        pixel, out.k0, out.k1, again,
        [&](Index k, double, Index dx, auto g, auto) HWY_ATTR {
          for (int c = 0; c < kPlanes; ++c) {
            AddPair(d, hn::Mul(g, factor[c]), out.plane[c], out.stride, k - out.k0, pixel.column,
                    dx);
          }
        },
        [](double) HWY_ATTR {});
    for (int c = 0; c < kPlanes; ++c) out.plane[c][pixel.column] += scale * value[c * count + i];
  }
}

#define BLURFIELD_FULL(T, S)                                                                      \
  void Spread##S(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,         \
                 const FullRows<T>& rows, const T* value, const T* along) {                       \
    if (along) {                                                                                  \
      (rows.planes == 3 ? Spread<T, 3, true> : Spread<T, 1, true>)(pixels, polynomials, count,    \
                                                                   rows, value, along);           \
    } else {                                                                                      \
      (rows.planes == 3 ? Spread<T, 3, false> : Spread<T, 1, false>)(pixels, polynomials, count,  \
                                                                     rows, value, along);         \
    }                                                                                             \
  }                                                                                               \
  void SpreadOnce##S(const FullPixel* pixels, Index count, const FullRows<const T>& src,          \
                     const FullRows<T>& out, const T* value, FullMoments* moments, T* kept) {     \
    if (src.planes > 0) {                                                                         \
      (out.planes == 3 ? SpreadOnce<T, 3, 3> : SpreadOnce<T, 1, 1>)(pixels, count, src, out,      \
                                                                    value, moments, kept);        \
    } else {                                                                                      \
      (out.planes == 3 ? SpreadOnce<T, 3, false>                                                  \
                       : SpreadOnce<T, 1, false>)(pixels, count, src, out, value, moments, kept); \
    }                                                                                             \
  }
BLURFIELD_FULL(float, F)
BLURFIELD_FULL(double, D)
#undef BLURFIELD_FULL

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {

#define BLURFIELD_FULL(T, S)                                                                     \
  HWY_EXPORT(Spread##S);                                                                         \
  HWY_EXPORT(SpreadOnce##S);                                                                     \
  void full_spread(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,      \
                   const FullRows<T>& rows, const T* value, const T* along) {                    \
    HWY_DYNAMIC_DISPATCH(Spread##S)(pixels, polynomials, count, rows, value, along);             \
  }                                                                                              \
  void full_spread_once(const FullPixel* pixels, Index count, const FullRows<const T>& src,      \
                        const FullRows<T>& out, const T* value, FullMoments* moments, T* kept) { \
    HWY_DYNAMIC_DISPATCH(SpreadOnce##S)(pixels, count, src, out, value, moments, kept);          \
  }
BLURFIELD_FULL(float, F)
BLURFIELD_FULL(double, D)
#undef BLURFIELD_FULL

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
