// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/residual_pixels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/residual_pixels.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "blurfield/kernels/exp2-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using PixelTag = hn::CappedTag<double, 8>;
using PixelVec = hn::Vec<PixelTag>;

HWY_INLINE PixelVec PixelExp(PixelVec v) {
  const PixelTag d;
  const auto most = hn::Set(d, 1000.0);  // finite
  const auto power = hn::Mul(v, hn::Set(d, 1.4426950408889634074));
  return Exp2Nonpositive(d, hn::Clamp(power, hn::Neg(most), most));
}

// kResidualSteps times a power of two, rounded down from v >= 1.
HWY_INLINE PixelVec FloorStep(PixelVec v) {
  const PixelTag d;
  const hn::RebindToUnsigned<PixelTag> du;
  const auto exponent = hn::Set(du, std::uint64_t{0x7FF} << 52);
  const auto power = hn::BitCast(d, hn::And(hn::BitCast(du, v), exponent));
  auto step = power;
  for (const double more : kResidualSteps) {
    const auto next = hn::Mul(power, hn::Set(d, more));
    step = hn::IfThenElse(hn::Ge(v, next), next, step);
  }
  return step;
}

// The numbers of a vector of pixels, in the order of ResidualPixel.
constexpr int kPixelNumbers = 10;

HWY_INLINE void Describe(const ResidualRule& rule, PixelVec theta_a, PixelVec b, PixelVec theta_c,
                         double row, double column, double longest, double coarsest,
                         PixelVec (&out)[kPixelNumbers], hn::Mask<PixelTag>& valid) {
  const PixelTag d;
  const auto number = [d](double v) HWY_ATTR { return hn::Set(d, v); };
  const auto one = number(1.0);
  const auto half = number(0.5);
  const auto ea = PixelExp(theta_a);
  const auto ec = PixelExp(theta_c);
  const auto yy = hn::Mul(ea, ea);
  const auto yx = hn::Mul(ea, b);
  const auto cc = hn::Mul(ec, ec);
  const auto bb = hn::Mul(b, b);
  const auto xx = hn::Add(bb, cc);
  const auto gap = hn::Mul(half, hn::Sub(yy, xx));
  const auto root = hn::Sqrt(hn::MulAdd(gap, gap, hn::Mul(yx, yx)));
  const auto largest = hn::MulAdd(half, hn::Add(yy, xx), root);
  const auto smallest = hn::Div(hn::Mul(yy, cc), largest);
  const auto serves = hn::Max(hn::Mul(smallest, number(1.0 / rule.least)), one);
  const auto step = FloorStep(hn::Sqrt(serves));
  const auto inverse = hn::Div(one, step);
  const auto scale = hn::Mul(inverse, inverse);
  // Beyond this an inverse width cannot change a weight any more, and no product overflows.
  const auto least = number(1e-30);
  const auto prefilter = hn::IfThenElseZero(hn::Gt(step, one), number(rule.prefilter));
  const auto p = hn::Max(hn::MulSub(yy, scale, prefilter), least);
  const auto inverse_p = hn::Div(scale, p);
  const auto bend = hn::Mul(prefilter, hn::Mul(bb, inverse_p));
  const auto q = hn::Max(hn::Sub(hn::MulSub(cc, scale, prefilter), bend), least);
  const auto slope = hn::Mul(yx, inverse_p);
  const auto sy = hn::Sqrt(p);
  const auto sx = hn::Sqrt(q);
  // Sums over samples beyond t sigma + 1/2 are below integrals beyond t sigma. A row or two about
  // the pixel's own need not go so far.
  const auto reach = number(rule.reach);
  const auto half_y = hn::Min(hn::MulAdd(sy, reach, half), hn::Mul(sy, number(rule.reach + 1.0)));
  // All taps as near as that to any place between samples.
  const auto wide = hn::MulAdd(hn::Add(sx, sx), reach, one);
  auto taps = hn::Ceil(hn::Min(wide, number(2.0 * longest)));
  const auto odd = hn::MulAdd(hn::Floor(hn::Mul(taps, half)), number(2.0), one);
  taps = hn::IfThenElse(hn::Lt(sx, one), odd, taps);
  const auto half_x = hn::MulAdd(hn::Abs(slope), half_y, hn::Mul(half, taps));
  valid = hn::And(hn::And(hn::Lt(half_y, number(longest)), hn::Lt(half_x, number(longest))),
                  hn::Le(step, number(coarsest)));
  const auto offset = hn::Mul(half, hn::Sub(step, one));
  const auto y = hn::Mul(hn::Sub(number(row), offset), inverse);
  const auto x = hn::Mul(hn::Sub(hn::Iota(d, column), offset), inverse);
  const auto first = hn::Ceil(hn::Sub(y, half_y));
  const auto last = hn::Floor(hn::Add(y, half_y));
  out[0] = hn::Mul(hn::Mul(sy, inverse_p), hn::Mul(step, step));
  out[1] = hn::Div(one, sx);
  out[2] = slope;
  out[3] = y;
  out[4] = x;
  out[5] = step;
  out[6] = half_x;
  out[7] = first;
  out[8] = hn::Add(hn::Sub(last, first), one);
  out[9] = taps;
}

bool Pixels(const ResidualRule& rule, const ResidualParams& sites, double longest, double coarsest,
            ResidualPixel* pixels) {
  const PixelTag d;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  alignas(64) double table[kPixelNumbers][8];
  for (Index i = 0; i < sites.count; i += lanes) {
    PixelVec out[kPixelNumbers];
    hn::Mask<PixelTag> valid;
    Describe(rule, hn::Load(d, sites.a + i), hn::Load(d, sites.b + i), hn::Load(d, sites.c + i),
             static_cast<double>(sites.y), static_cast<double>(sites.x + i), longest, coarsest, out,
             valid);
    const Index count = std::min(lanes, sites.count - i);
    if (!hn::AllTrue(d, hn::Or(valid, hn::Not(hn::FirstN(d, static_cast<std::size_t>(count)))))) {
      return false;
    }
    for (int j = 0; j < kPixelNumbers; ++j) hn::Store(out[j], d, table[j]);
    for (Index k = 0; k < count; ++k) {
      pixels[i + k] = {table[0][k],
                       table[1][k],
                       table[2][k],
                       table[3][k],
                       table[4][k],
                       table[5][k],
                       table[6][k],
                       static_cast<Index>(table[7][k]),
                       static_cast<Index>(table[8][k]),
                       static_cast<Index>(table[9][k])};
    }
  }
  return true;
}

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {

HWY_EXPORT(Pixels);

bool residual_pixels(const ResidualRule& rule, const ResidualParams& sites, double longest,
                     double coarsest, ResidualPixel* pixels) {
  return HWY_DYNAMIC_DISPATCH(Pixels)(rule, sites, longest, coarsest, pixels);
}

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
