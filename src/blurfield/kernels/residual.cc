// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/residual.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/residual.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "blurfield/kernels/residual_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

template <class D>
HWY_INLINE double Total(D d, hn::Vec<D> v) {
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v)));
}

template <class T, int kPlanes>
void ResidualValues(const ResidualPixel* pixels, Index count, const ResidualBlock<const T>& block,
                    T* scratch, double* norm, double* value) {
  ResidualRun<T> run;
  for (Index i = 0; i < count; ++i) {
    ResidualWalk<T, false> walk(pixels[i], block, scratch);
    double total[kPlanes + 1] = {};
    while (walk.Next(run)) {
      walk.ForChunks([&](auto d, auto vectors, Index from) HWY_ATTR {
        constexpr int kVectors = decltype(vectors)::value;
        const auto lanes = static_cast<Index>(hn::Lanes(d));
        using V = hn::Vec<decltype(d)>;
        // Planes, then the mass; two sums of each.
        V sum[kPlanes + 1][2];
        for (V(&two)[2] : sum) two[0] = two[1] = hn::Zero(d);
        walk.template ForRows<kVectors>(d, run, from, [&](Index k, auto tag, const V* h) HWY_ATTR {
          constexpr int kWay = decltype(tag)::value;
          const auto weight = hn::Set(d, run.weight[k]);
          for (int c = 0; c < kPlanes; ++c) {
            const T* HWY_RESTRICT in = block.plane[c] + run.offset[k] + from;
            V row = hn::Mul(h[0], hn::LoadU(d, in));
            for (int j = 1; j < kVectors; ++j) {
              row = hn::MulAdd(h[j], hn::LoadU(d, in + j * lanes), row);
            }
            sum[c][kWay] = hn::MulAdd(weight, row, sum[c][kWay]);
          }
          V row = h[0];
          for (int j = 1; j < kVectors; ++j) row = hn::Add(row, h[j]);
          sum[kPlanes][kWay] = hn::MulAdd(weight, row, sum[kPlanes][kWay]);
        });
        for (int c = 0; c <= kPlanes; ++c) total[c] += Total(d, hn::Add(sum[c][0], sum[c][1]));
      });
    }
    norm[i] = total[kPlanes];
    for (int c = 0; c < kPlanes; ++c) value[c * count + i] = total[c];
  }
}

// Sums over rows of v, v z1^2, v z1 z2, v z2^2, from sums over each row of v, v u, v u^2.
template <class D>
struct ResidualMoments {
  using V = hn::Vec<D>;
  V row[3];
  V sum[4];

  HWY_INLINE ResidualMoments() {
    for (V& v : sum) v = hn::Zero(D());
  }
  HWY_INLINE void ClearRow() {
    for (V& v : row) v = hn::Zero(D());
  }
  HWY_INLINE void Add(V v, V u) {
    const auto along = hn::Mul(v, u);
    row[0] = hn::Add(row[0], v);
    row[1] = hn::Add(row[1], along);
    row[2] = hn::MulAdd(along, u, row[2]);
  }
  HWY_INLINE void CloseRow(V weight, V z1, V delta, V inv_x) {
    // u - delta for u
    const auto first = hn::NegMulAdd(delta, row[0], row[1]);
    const auto second = hn::NegMulAdd(delta, hn::Add(row[1], first), row[2]);
    const auto along = hn::Mul(hn::Mul(weight, inv_x), first);
    const auto once = hn::Mul(weight, row[0]);
    sum[0] = hn::Add(sum[0], once);
    sum[1] = hn::MulAdd(hn::Mul(once, z1), z1, sum[1]);
    sum[2] = hn::MulAdd(along, z1, sum[2]);
    sum[3] = hn::MulAdd(hn::Mul(hn::Mul(weight, inv_x), inv_x), second, sum[3]);
  }
  HWY_INLINE void AddTo(double* total) const {
    for (int m = 0; m < 4; ++m) total[m] += Total(D(), sum[m]);
  }
};

template <class T, int kPlanes>
void ResidualMomentsOf(const ResidualPixel* pixels, Index count,
                       const ResidualBlock<const T>& block, T* scratch, const T* coef,
                       FullMoments* moments) {
  ResidualRun<T> run;
  for (Index i = 0; i < count; ++i) {
    ResidualWalk<T, true> walk(pixels[i], block, scratch);
    moments[i] = {};
    while (walk.Next(run)) {
      walk.ForChunks([&](auto d, auto vectors, Index from) HWY_ATTR {
        constexpr int kVectors = decltype(vectors)::value;
        const auto lanes = static_cast<Index>(hn::Lanes(d));
        using V = hn::Vec<decltype(d)>;
        const auto inv_x = hn::Set(d, static_cast<T>(pixels[i].inv_x));
        ResidualMoments<decltype(d)> norm;
        ResidualMoments<decltype(d)> value;
        walk.template ForRows<kVectors>(d, run, from, [&](Index k, auto, const V* h) HWY_ATTR {
          norm.ClearRow();
          value.ClearRow();
          for (int j = 0; j < kVectors; ++j) {
            const auto u = walk.Taps(d, from, j);
            norm.Add(h[j], u);
            if constexpr (kPlanes == 0) continue;
            V y = hn::Zero(d);
            for (int c = 0; c < kPlanes; ++c) {
              const auto in = hn::LoadU(d, block.plane[c] + run.offset[k] + from + j * lanes);
              y = hn::MulAdd(hn::Set(d, coef[c * count + i]), in, y);
            }
            value.Add(hn::Mul(h[j], y), u);
          }
          const auto weight = hn::Set(d, run.weight[k]);
          const auto z1 = hn::Set(d, run.z1[k]);
          const auto delta = hn::Set(d, run.delta[k]);
          norm.CloseRow(weight, z1, delta, inv_x);
          if constexpr (kPlanes > 0) value.CloseRow(weight, z1, delta, inv_x);
        });
        norm.AddTo(moments[i].norm);
        if constexpr (kPlanes > 0) value.AddTo(moments[i].value);
      });
    }
  }
}

template <class T, int kPlanes, bool kAlong>
void ResidualSpread(const ResidualPixel* pixels, const FullPolynomial* polynomials, Index count,
                    const ResidualBlock<T>& block, T* scratch, const T* value, const T* along) {
  ResidualRun<T> run;
  for (Index i = 0; i < count; ++i) {
    ResidualWalk<T, kAlong> walk(pixels[i], block, scratch);
    const FullPolynomial poly = kAlong ? polynomials[i] : FullPolynomial{};
    while (walk.Next(run)) {
      walk.ForChunks([&](auto d, auto vectors, Index from) HWY_ATTR {
        constexpr int kVectors = decltype(vectors)::value;
        const auto lanes = static_cast<Index>(hn::Lanes(d));
        using V = hn::Vec<decltype(d)>;
        walk.template ForRows<kVectors>(d, run, from, [&](Index k, auto, const V* h) HWY_ATTR {
          V slope[kVectors];
          if constexpr (kAlong) {
            const auto z1 = static_cast<double>(run.z1[k]);
            const auto one = hn::Set(d, static_cast<T>(poly.one + poly.z1sq * z1 * z1));
            const auto by_z2 = hn::Set(d, static_cast<T>(poly.z1z2 * z1));
            const auto by_z2sq = hn::Set(d, static_cast<T>(poly.z2sq));
            const auto inv_x = hn::Set(d, static_cast<T>(pixels[i].inv_x));
            const auto delta = hn::Set(d, run.delta[k]);
            for (int j = 0; j < kVectors; ++j) {
              const auto z2 = hn::Mul(hn::Sub(walk.Taps(d, from, j), delta), inv_x);
              slope[j] = hn::MulAdd(hn::MulAdd(by_z2sq, z2, by_z2), z2, one);
            }
          }
          for (int c = 0; c < kPlanes; ++c) {
            T* HWY_RESTRICT out = block.plane[c] + run.offset[k] + from;
            const auto factor = hn::Set(d, run.weight[k] * value[c * count + i]);
            for (int j = 0; j < kVectors; ++j) {
              auto f = factor;
              if constexpr (kAlong) {
                f = hn::MulAdd(hn::Set(d, run.weight[k] * along[c * count + i]), slope[j], f);
              }
              const auto old = hn::LoadU(d, out + j * lanes);
              hn::StoreU(hn::MulAdd(h[j], f, old), d, out + j * lanes);
            }
          }
        });
      });
    }
  }
}

#define BLURFIELD_RESIDUAL(T, S)                                                                   \
  void Values##S(const ResidualPixel* pixels, Index count, const ResidualBlock<const T>& block,    \
                 T* scratch, double* norm, double* value) {                                        \
    (block.planes == 3   ? ResidualValues<T, 3>                                                    \
     : block.planes == 1 ? ResidualValues<T, 1>                                                    \
                         : ResidualValues<T, 0>)(pixels, count, block, scratch, norm, value);      \
  }                                                                                                \
  void Moments##S(const ResidualPixel* pixels, Index count, const ResidualBlock<const T>& block,   \
                  T* scratch, const T* coef, FullMoments* moments) {                               \
    (block.planes == 3   ? ResidualMomentsOf<T, 3>                                                 \
     : block.planes == 1 ? ResidualMomentsOf<T, 1>                                                 \
                         : ResidualMomentsOf<T, 0>)(pixels, count, block, scratch, coef, moments); \
  }                                                                                                \
  void Spread##S(const ResidualPixel* pixels, const FullPolynomial* polynomials, Index count,      \
                 const ResidualBlock<T>& block, T* scratch, const T* value, const T* along) {      \
    if (along) {                                                                                   \
      (block.planes == 3 ? ResidualSpread<T, 3, true>                                              \
                         : ResidualSpread<T, 1, true>)(pixels, polynomials, count, block, scratch, \
                                                       value, along);                              \
    } else {                                                                                       \
      (block.planes == 3 ? ResidualSpread<T, 3, false>                                             \
                         : ResidualSpread<T, 1, false>)(pixels, polynomials, count, block,         \
                                                        scratch, value, along);                    \
    }                                                                                              \
  }
BLURFIELD_RESIDUAL(float, F)
BLURFIELD_RESIDUAL(double, D)
#undef BLURFIELD_RESIDUAL

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {

#define BLURFIELD_RESIDUAL(T, S)                                                                  \
  HWY_EXPORT(Values##S);                                                                          \
  HWY_EXPORT(Moments##S);                                                                         \
  HWY_EXPORT(Spread##S);                                                                          \
  template <>                                                                                     \
  void residual_values<T>(const ResidualPixel* pixels, Index count,                               \
                          const ResidualBlock<const T>& block, T* scratch, double* norm,          \
                          double* value) {                                                        \
    HWY_DYNAMIC_DISPATCH(Values##S)(pixels, count, block, scratch, norm, value);                  \
  }                                                                                               \
  template <>                                                                                     \
  void residual_moments<T>(const ResidualPixel* pixels, Index count,                              \
                           const ResidualBlock<const T>& block, T* scratch, const T* coef,        \
                           FullMoments* moments) {                                                \
    HWY_DYNAMIC_DISPATCH(Moments##S)(pixels, count, block, scratch, coef, moments);               \
  }                                                                                               \
  template <>                                                                                     \
  void residual_spread<T>(const ResidualPixel* pixels, const FullPolynomial* polynomials,         \
                          Index count, const ResidualBlock<T>& block, T* scratch, const T* value, \
                          const T* along) {                                                       \
    HWY_DYNAMIC_DISPATCH(Spread##S)(pixels, polynomials, count, block, scratch, value, along);    \
  }
BLURFIELD_RESIDUAL(float, F)
BLURFIELD_RESIDUAL(double, D)
#undef BLURFIELD_RESIDUAL

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
