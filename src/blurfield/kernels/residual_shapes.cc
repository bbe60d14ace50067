// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/residual_shapes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "blurfield/kernels/residual_shapes.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "blurfield/kernels/exp2-inl.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using ShapeTag = hn::CappedTag<double, 8>;
using ShapeVec = hn::Vec<ShapeTag>;

HWY_INLINE ShapeVec ShapeExp(ShapeVec v) {
  const ShapeTag d;
  const auto most = hn::Set(d, 1000.0);  // finite
  const auto power = hn::Mul(v, hn::Set(d, 1.4426950408889634074));
  return Exp2Nonpositive(d, hn::Clamp(power, hn::Neg(most), most));
}

// kResidualSteps times a power of two, rounded down from v >= 1.
HWY_INLINE ShapeVec FloorStep(ShapeVec v) {
  const ShapeTag d;
  const hn::RebindToUnsigned<ShapeTag> du;
  const auto exponent = hn::Set(du, std::uint64_t{0x7FF} << 52);
  const auto power = hn::BitCast(d, hn::And(hn::BitCast(du, v), exponent));
  auto step = power;
  for (const double more : kResidualSteps) {
    const auto next = hn::Mul(power, hn::Set(d, more));
    step = hn::IfThenElse(hn::Ge(v, next), next, step);
  }
  return step;
}

HWY_INLINE ShapeVec Promoted(const float* from) {
  const ShapeTag d;
  const hn::Rebind<float, ShapeTag> df;
  return hn::PromoteTo(d, hn::Load(df, from));
}
HWY_INLINE ShapeVec Promoted(const double* from) { return hn::Load(ShapeTag(), from); }

// T = Sigma / D^2 - prefilter I: its variance along y, that along x given y, and its slope.
struct ShapeOfT {
  ShapeVec step, p, inv_p, q, slope, sigma_y, sigma_x;  // sigmas are sqrt(Sigma_yy, Sigma_xx)
};

HWY_INLINE ShapeOfT Left(const ResidualRule& rule, ShapeVec a, ShapeVec b, ShapeVec c) {
  const ShapeTag d;
  const auto number = [d](double v) HWY_ATTR { return hn::Set(d, v); };
  const auto one = number(1.0);
  const auto half = number(0.5);
  const auto ea = ShapeExp(a);
  const auto ec = ShapeExp(c);
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
  const auto area = hn::Mul(step, step);
  const auto scale = hn::Div(one, area);
  // Beyond this an inverse width cannot change a weight any more, and no product overflows.
  const auto least = number(1e-30);
  const auto prefilter = hn::IfThenElseZero(hn::Gt(step, one), number(rule.prefilter));
  const auto p = hn::Max(hn::MulSub(yy, scale, prefilter), least);
  const auto by_p = hn::Div(scale, p);
  const auto bend = hn::Mul(prefilter, hn::Mul(bb, by_p));
  const auto q = hn::Max(hn::Sub(hn::MulSub(cc, scale, prefilter), bend), least);
  return {step, p, hn::Mul(by_p, area), q, hn::Mul(yx, by_p), ea, hn::Sqrt(xx)};
}

// Where a vector of kernels begin and end.
struct ShapeEnds {
  ShapeVec low_y, high_y, low_x, high_x, taps, rows;
};

// Running hull and sums, lane by lane.
struct ShapeSums {
  ShapeVec low_y, low_x, high_y, high_x, row_taps, taps, sigma_y, sigma_x, box, finest, coarsest;

  ShapeSums() {
    const ShapeTag d;
    low_y = low_x = finest = hn::Set(d, std::numeric_limits<double>::max());
    high_y = high_x = coarsest = hn::Neg(low_y);
    row_taps = taps = sigma_y = sigma_x = box = hn::Zero(d);
  }
  HWY_INLINE void Add(hn::Mask<ShapeTag> some, const ShapeEnds& ends, const ShapeOfT& t) {
    const auto lower = [some](ShapeVec& to, ShapeVec v)
                           HWY_ATTR { to = hn::IfThenElse(some, hn::Min(to, v), to); };
    const auto higher = [some](ShapeVec& to, ShapeVec v)
                            HWY_ATTR { to = hn::IfThenElse(some, hn::Max(to, v), to); };
    const auto add = [some](ShapeVec& to, ShapeVec v)
                         HWY_ATTR { to = hn::Add(to, hn::IfThenElseZero(some, v)); };
    lower(low_y, ends.low_y);
    lower(low_x, ends.low_x);
    lower(finest, t.step);
    higher(high_y, ends.high_y);
    higher(high_x, ends.high_x);
    higher(coarsest, t.step);
    higher(row_taps, ends.taps);
    add(taps, hn::Mul(ends.rows, ends.taps));
    add(sigma_y, t.sigma_y);
    add(sigma_x, t.sigma_x);
    add(box, hn::Mul(t.sigma_y, t.sigma_x));
  }
  HWY_INLINE void Store(ResidualShapes& shapes) const {
    const ShapeTag d;
    const auto least = [d](ShapeVec v) HWY_ATTR { return hn::GetLane(hn::MinOfLanes(d, v)); };
    const auto most = [d](ShapeVec v) HWY_ATTR { return hn::GetLane(hn::MaxOfLanes(d, v)); };
    const auto sum = [d](ShapeVec v) HWY_ATTR { return hn::GetLane(hn::SumOfLanes(d, v)); };
    shapes.hull = {least(low_y), least(low_x),   most(high_y),
                   most(high_x), most(row_taps), sum(taps)};
    shapes.one_level = least(finest) == most(coarsest);
    shapes.sigma_y = sum(sigma_y);
    shapes.sigma_x = sum(sigma_x);
    shapes.box = sum(box);
  }
};

// The numbers of pixels i, i + 1, ... of a vector, of which those of `some` count; returns which
// keep to the rule.
template <class T>
HWY_INLINE hn::Mask<ShapeTag> Shape(const ResidualRule& rule, const ResidualParams<T>& params,
                                    Index i, hn::Mask<ShapeTag> some, ShapeSums& sums,
                                    ResidualShapes& shapes) {
  const ShapeTag d;
  const auto number = [d](double v) HWY_ATTR { return hn::Set(d, v); };
  const auto one = number(1.0);
  const auto half = number(0.5);
  const ShapeOfT t =
      Left(rule, Promoted(params.a + i), Promoted(params.b + i), Promoted(params.c + i));
  const auto sy = hn::Sqrt(t.p);
  const auto sx = hn::Sqrt(t.q);
  // Sums over samples beyond t sigma + 1/2 are below integrals beyond t sigma. A row or two about
  // the pixel's own need not go so far.
  const auto reach = number(rule.reach);
  const auto half_y = hn::Min(hn::MulAdd(sy, reach, half), hn::Mul(sy, number(rule.reach + 1.0)));
  // All taps as near as that to any place between samples.
  const auto wide = hn::MulAdd(hn::Add(sx, sx), reach, one);
  const auto fewest = hn::Ceil(hn::Min(wide, number(2.0 * rule.longest)));
  const auto odd = hn::MulAdd(hn::Floor(hn::Mul(fewest, half)), number(2.0), one);
  const auto taps = hn::IfThenElse(hn::Lt(sx, one), odd, fewest);
  const auto half_x = hn::MulAdd(hn::Abs(t.slope), half_y, hn::Mul(half, taps));
  const auto offset = hn::Mul(half, hn::Sub(t.step, one));
  const auto inverse = hn::Div(one, t.step);
  const auto place = [&](ShapeVec v) HWY_ATTR { return hn::Mul(hn::Sub(v, offset), inverse); };
  const auto y = place(number(static_cast<double>(params.y)));
  const auto x = place(hn::Iota(d, static_cast<double>(params.x + i)));
  const auto first = hn::Ceil(hn::Sub(y, half_y));
  const auto last = hn::Floor(hn::Add(y, half_y));
  const auto rows = hn::Add(hn::Sub(last, first), one);
  hn::Store(hn::Mul(sy, t.inv_p), d, shapes.inv_y + i);
  hn::Store(hn::Div(one, sx), d, shapes.inv_x + i);
  hn::Store(t.slope, d, shapes.slope + i);
  hn::Store(y, d, shapes.y + i);
  hn::Store(x, d, shapes.x + i);
  hn::Store(first, d, shapes.first + i);
  hn::Store(rows, d, shapes.rows + i);
  hn::Store(taps, d, shapes.taps + i);
  hn::Store(t.step, d, shapes.step + i);
  hn::Store(half_x, d, shapes.half_x + i);
  sums.Add(some, {first, last, hn::Sub(x, half_x), hn::Add(x, half_x), taps, rows}, t);
  const auto longest = number(rule.longest);
  return hn::And(hn::And(hn::Lt(half_y, longest), hn::Lt(half_x, longest)),
                 hn::Le(t.step, number(rule.coarsest)));
}

template <class T>
bool Shapes(const ResidualRule& rule, const ResidualParams<T>& params, ResidualShapes& shapes) {
  const ShapeTag d;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  ShapeSums sums;
  for (Index i = 0; i < params.count; i += lanes) {
    const auto some = hn::FirstN(d, static_cast<std::size_t>(params.count - i));
    const auto keeps = Shape(rule, params, i, some, sums, shapes);
    if (!hn::AllTrue(d, hn::Or(keeps, hn::Not(some)))) return false;
  }
  sums.Store(shapes);
  return true;
}

#define BLURFIELD_SHAPES(T, S)                                              \
  bool Shapes##S(const ResidualRule& rule, const ResidualParams<T>& params, \
                 ResidualShapes& shapes) {                                  \
    return Shapes(rule, params, shapes);                                    \
  }
BLURFIELD_SHAPES(float, F)
BLURFIELD_SHAPES(double, D)
#undef BLURFIELD_SHAPES

}  // namespace blurfield::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::kernels {

#define BLURFIELD_SHAPES(T, S)                                                       \
  HWY_EXPORT(Shapes##S);                                                             \
  template <>                                                                        \
  bool residual_shapes<T>(const ResidualRule& rule, const ResidualParams<T>& params, \
                          ResidualShapes& shapes) {                                  \
    return HWY_DYNAMIC_DISPATCH(Shapes##S)(rule, params, shapes);                    \
  }
BLURFIELD_SHAPES(float, F)
BLURFIELD_SHAPES(double, D)
#undef BLURFIELD_SHAPES

}  // namespace blurfield::kernels
#endif  // HWY_ONCE
