// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/adaptive/full.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/adaptive/full.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "blurfield/kernels/adaptive/full_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

template <class T, int kPlanes>
void Values(const FullPixel* pixels, Index count, const FullRows<const T>& rows, double* norm,
            double* value) {
  const Tag<T> d;
  for (Index i = 0; i < count; ++i) {
    const FullPixel& pixel = pixels[i];
    double total[kPlanes + 1] = {};
    Sums<T, kPlanes + 1> sums(total);
    ForWeights<T>(
        pixel, rows.k0, rows.k1,
        [&](Index k, double, Index dx, auto g, auto) HWY_ATTR {
          for (int c = 0; c < kPlanes; ++c) {
            sums.MulAdd(c, g,
                        LoadPair(d, rows.plane[c], rows.stride, k - rows.k0, pixel.column, dx));
          }
          sums.Add(kPlanes, g);
        },
        [&](double) HWY_ATTR { sums.RowDone(pixel.rx); });
    sums.Flush();
    const bool centre = rows.k0 == 0;
    for (int c = 0; c < kPlanes; ++c) {
      value[c * count + i] += total[c] + (centre ? CentreTap(rows, c, pixel) : 0.0);
    }
    norm[i] += 2.0 * total[kPlanes] + (centre ? 1.0 : 0.0);
  }
}

template <class T, int kPlanes>
void Polynomials(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,
                 const FullRows<const T>& rows, double* value) {
  const Tag<T> d;
  for (Index i = 0; i < count; ++i) {
    const FullPixel& pixel = pixels[i];
    const FullPolynomial& poly = polynomials[i];
    const auto z2sq = hn::Set(d, static_cast<T>(poly.z2sq));
    double total[kPlanes] = {};
    Sums<T, kPlanes> sums(total);
    ForWeights<T>(
        pixel, rows.k0, rows.k1,
        [&](Index k, double z1, Index dx, auto g, auto z2) HWY_ATTR {
          const auto row_one = hn::Set(d, static_cast<T>(poly.one + poly.z1sq * z1 * z1));
          const auto row_z2 = hn::Set(d, static_cast<T>(poly.z1z2 * z1));
          const auto factor = hn::MulAdd(hn::MulAdd(z2sq, z2, row_z2), z2, row_one);
          const auto weight = hn::Mul(g, factor);
          for (int c = 0; c < kPlanes; ++c) {
            sums.MulAdd(c, weight,
                        LoadPair(d, rows.plane[c], rows.stride, k - rows.k0, pixel.column, dx));
          }
        },
        [&](double) HWY_ATTR { sums.RowDone(pixel.rx); });
    sums.Flush();
    for (int c = 0; c < kPlanes; ++c) {
      const double centre = rows.k0 == 0 ? poly.one * CentreTap(rows, c, pixel) : 0.0;
      value[c * count + i] += total[c] + centre;
    }
  }
}

template <class T, int kPlanes>
void Moments(const FullPixel* pixels, Index count, const FullRows<const T>& rows, const T* coef,
             FullMoments* moments) {
  for (Index i = 0; i < count; ++i) {
    PixelMoments<T, kPlanes>(pixels[i], rows, kPlanes > 0 ? coef + i : nullptr, count,
                             MakeWeights<T>(), moments[i]);
  }
}

#define BLURFIELD_FULL(T, S)                                                                     \
  void Values##S(const FullPixel* pixels, Index count, const FullRows<const T>& rows,            \
                 double* norm, double* value) {                                                  \
    (rows.planes == 3 ? Values<T, 3> : Values<T, 1>)(pixels, count, rows, norm, value);          \
  }                                                                                              \
  void Polynomials##S(const FullPixel* pixels, const FullPolynomial* polynomials, Index count,   \
                      const FullRows<const T>& rows, double* value) {                            \
    (rows.planes == 3 ? Polynomials<T, 3> : Polynomials<T, 1>)(pixels, polynomials, count, rows, \
                                                               value);                           \
  }                                                                                              \
  void Moments##S(const FullPixel* pixels, Index count, const FullRows<const T>& rows,           \
                  const T* coef, FullMoments* moments) {                                         \
    (rows.planes == 3   ? Moments<T, 3>                                                          \
     : rows.planes == 1 ? Moments<T, 1>                                                          \
                        : Moments<T, 0>)(pixels, count, rows, coef, moments);                    \
  }
BLURFIELD_FULL(float, F)
BLURFIELD_FULL(double, D)
#undef BLURFIELD_FULL

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {

#define BLURFIELD_FULL(T, S)                                                                     \
  HWY_EXPORT(Values##S);                                                                         \
  HWY_EXPORT(Polynomials##S);                                                                    \
  HWY_EXPORT(Moments##S);                                                                        \
  void full_values(const FullPixel* pixels, Index count, const FullRows<const T>& rows,          \
                   double* norm, double* value) {                                                \
    HWY_DYNAMIC_DISPATCH(Values##S)(pixels, count, rows, norm, value);                           \
  }                                                                                              \
  void full_polynomials(const FullPixel* pixels, const FullPolynomial* polynomials, Index count, \
                        const FullRows<const T>& rows, double* value) {                          \
    HWY_DYNAMIC_DISPATCH(Polynomials##S)(pixels, polynomials, count, rows, value);               \
  }                                                                                              \
  void full_moments(const FullPixel* pixels, Index count, const FullRows<const T>& rows,         \
                    const T* coef, FullMoments* moments) {                                       \
    HWY_DYNAMIC_DISPATCH(Moments##S)(pixels, count, rows, coef, moments);                        \
  }
BLURFIELD_FULL(float, F)
BLURFIELD_FULL(double, D)
#undef BLURFIELD_FULL

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
