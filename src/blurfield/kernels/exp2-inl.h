// SPDX-License-Identifier: BSD-3-Clause
// 2^x for x <= 0, per SIMD target. Relative error below 1 ulp where x >= kSmallestPower, below
// which 2^x would leave the normal numbers: callers discard or clamp that.
// Included once per target by foreach_target.h users, hence the toggled guard.
#if defined(BLURFIELD_KERNELS_EXP2_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BLURFIELD_KERNELS_EXP2_INL_H_
#undef BLURFIELD_KERNELS_EXP2_INL_H_
#else
#define BLURFIELD_KERNELS_EXP2_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
inline constexpr T kSmallestPower = static_cast<T>(sizeof(T) == 4 ? -125.0 : -1020.0);

// Minimax polynomial of 2^f on [-1/2, 1/2]: degree 6 (error 2e-9), degree 11 (error 3e-18). By
// Estrin's scheme: what limits the kernels is the length of this chain.
template <class D>
HWY_INLINE hn::Vec<D> Exp2Polynomial(D d, hn::Vec<D> f, float /*tag*/) {
  const auto c = [d](float value) HWY_ATTR { return hn::Set(d, value); };
  const auto f2 = hn::Mul(f, f);
  const auto p01 = hn::MulAdd(c(6.93147206702832596e-1f), f, c(1.0f));
  const auto p23 = hn::MulAdd(c(5.55032722667030196e-2f), f, c(2.40226509222887581e-1f));
  const auto p45 = hn::MulAdd(c(1.34004281776158379e-3f), f, c(9.61805667852463825e-3f));
  const auto p456 = hn::MulAdd(c(1.54614446974856911e-4f), f2, p45);
  const auto p03 = hn::MulAdd(p23, f2, p01);
  return hn::MulAdd(p456, hn::Mul(f2, f2), p03);
}
template <class D>
HWY_INLINE hn::Vec<D> Exp2Polynomial(D d, hn::Vec<D> f, double /*tag*/) {
  const auto c = [d](double value) HWY_ATTR { return hn::Set(d, value); };
  const auto f2 = hn::Mul(f, f);
  const auto f4 = hn::Mul(f2, f2);
  const auto p01 = hn::MulAdd(c(6.9314718055994530925e-1), f, c(1.0));
  const auto p23 = hn::MulAdd(c(5.5504108664821627039e-2), f, c(2.4022650695910159567e-1));
  const auto p45 = hn::MulAdd(c(1.3333558146406470697e-3), f, c(9.6181291075872566681e-3));
  const auto p67 = hn::MulAdd(c(1.5252733841556772589e-5), f, c(1.5403530463724354209e-4));
  const auto p89 = hn::MulAdd(c(1.0178057087733941105e-7), f, c(1.3215432535912376166e-6));
  const auto pab = hn::MulAdd(c(4.455817908336064493e-10), f, c(7.0741942972885210056e-9));
  const auto p03 = hn::MulAdd(p23, f2, p01);
  const auto p47 = hn::MulAdd(p67, f2, p45);
  const auto p8b = hn::MulAdd(pab, f2, p89);
  return hn::MulAdd(hn::MulAdd(p8b, f4, p47), f4, p03);
}

template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> Exp2Nonpositive(D d, hn::Vec<D> x) {
  constexpr bool kFloat = sizeof(T) == 4;
  constexpr int kMantissaBits = kFloat ? 23 : 52;
  // Adding 1.5 * 2^mantissa_bits leaves the nearest integer of x in the low bits.
  const auto magic = hn::Set(d, static_cast<T>(kFloat ? 0x1.8p23 : 0x1.8p52));
  const auto shifted = hn::Add(x, magic);
  const auto fraction = hn::Sub(x, hn::Sub(shifted, magic));
  const hn::RebindToUnsigned<D> du;
  const auto exponent = hn::ShiftLeft<kMantissaBits>(hn::BitCast(du, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(du, Exp2Polynomial(d, fraction, T{})), exponent));
}

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
