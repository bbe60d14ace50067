// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/ladder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blurfield::detail {
namespace {

// Shares of the tolerance. Aliasing takes its share only at the foot of a level's range.
constexpr double kAlias = 0.25;
constexpr double kTruncation = 0.3;
constexpr double kPrefilter = 0.05;
constexpr double kInterpolation = 0.4;
constexpr double kLoosest = 0.1;  // no pyramid is coarser than for this tolerance

// s^2 / D^2 at which a level of step D is made and read with equal care: the error of one Fourier
// replica is exp(-2 pi^2 a b / (a + b)) for prefilter variance a and reading variance b.
double foot(double share) {
  return std::log(1.6 / share) / (2.0 * std::numbers::pi * std::numbers::pi);
}

}  // namespace

double truncation_for(double share) {
  // Newton's steps on the logarithm, which is concave, come from above: erfc(t / sqrt 2) is at most
  // exp(-t^2 / 2).
  const double asked = std::clamp(share, 1e-300, 2.0) / 4.0;
  double t = std::sqrt(-2.0 * std::log(asked));
  for (int i = 0; i < 20; ++i) {
    const double tail = std::erfc(t / std::numbers::sqrt2);
    const double density = std::sqrt(2.0 / std::numbers::pi) * std::exp(-0.5 * t * t);
    const double step = std::log(asked / tail) * tail / density;
    t -= step;
    if (step < 1e-12 * t) break;
  }
  return t * (1.0 + 1e-12);  // still from above
}

Ladder::Ladder(double tolerance) {
  const double e = std::min(tolerance, kLoosest);
  const double l = foot(kAlias * e);
  prefilter = 2.155 * l;
  least = 4.02 * l;
  reach = truncation_for(kTruncation * e);
  prefilter_reach = truncation_for(kPrefilter * e);
  interpolation = kInterpolation * e;
  spent = (kAlias + kTruncation + kPrefilter) * e;
}

double Ladder::step(double sigma) const {
  const double most = sigma / std::sqrt(least);
  return most < 2.0 ? 1.0 : std::exp2(std::floor(std::log2(most)));
}

double Ladder::fine_step(double sigma) const {
  const double most = sigma / std::sqrt(least);
  const double power = std::exp2(std::floor(std::log2(std::max(most, 1.0))));
  return 1.5 * power <= most ? 1.5 * power : power;
}

}  // namespace blurfield::detail
