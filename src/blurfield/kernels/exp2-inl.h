// SPDX-License-Identifier: BSD-3-Clause
// 2^x for x <= 0, per SIMD target. Relative error below 1 ulp; x is clamped where 2^x would leave
// the normal numbers (2^-125 in float, 2^-1020 in double), far below what a weight can add.
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

// Minimax polynomial of 2^f on [-1/2, 1/2]: degree 6 (error 2e-9), degree 11 (error 3e-18).
template <class D>
HWY_INLINE hn::Vec<D> Exp2Polynomial(D d, hn::Vec<D> f, float /*tag*/) {
  auto p = hn::Set(d, 1.54614446974856911e-4f);
  p = hn::MulAdd(p, f, hn::Set(d, 1.34004281776158379e-3f));
  p = hn::MulAdd(p, f, hn::Set(d, 9.61805667852463825e-3f));
  p = hn::MulAdd(p, f, hn::Set(d, 5.55032722667030196e-2f));
  p = hn::MulAdd(p, f, hn::Set(d, 2.40226509222887581e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 6.93147206702832596e-1f));
  return hn::MulAdd(p, f, hn::Set(d, 1.0f));
}
template <class D>
HWY_INLINE hn::Vec<D> Exp2Polynomial(D d, hn::Vec<D> f, double /*tag*/) {
  auto p = hn::Set(d, 4.455817908336064493e-10);
  p = hn::MulAdd(p, f, hn::Set(d, 7.0741942972885210056e-9));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0178057087733941105e-7));
  p = hn::MulAdd(p, f, hn::Set(d, 1.3215432535912376166e-6));
  p = hn::MulAdd(p, f, hn::Set(d, 1.5252733841556772589e-5));
  p = hn::MulAdd(p, f, hn::Set(d, 1.5403530463724354209e-4));
  p = hn::MulAdd(p, f, hn::Set(d, 1.3333558146406470697e-3));
  p = hn::MulAdd(p, f, hn::Set(d, 9.6181291075872566681e-3));
  p = hn::MulAdd(p, f, hn::Set(d, 5.5504108664821627039e-2));
  p = hn::MulAdd(p, f, hn::Set(d, 2.4022650695910159567e-1));
  p = hn::MulAdd(p, f, hn::Set(d, 6.9314718055994530925e-1));
  return hn::MulAdd(p, f, hn::Set(d, 1.0));
}

template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> Exp2Nonpositive(D d, hn::Vec<D> x) {
  constexpr bool kFloat = sizeof(T) == 4;
  constexpr int kMantissaBits = kFloat ? 23 : 52;
  // Adding 1.5 * 2^mantissa_bits leaves the nearest integer of x in the low bits.
  const auto magic = hn::Set(d, static_cast<T>(kFloat ? 0x1.8p23 : 0x1.8p52));
  x = hn::Max(x, hn::Set(d, kSmallestPower<T>));
  const auto shifted = hn::Add(x, magic);
  const auto fraction = hn::Sub(x, hn::Sub(shifted, magic));
  const hn::RebindToUnsigned<D> du;
  const auto exponent = hn::ShiftLeft<kMantissaBits>(hn::BitCast(du, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(du, Exp2Polynomial(d, fraction, T{})), exponent));
}

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
