// SPDX-License-Identifier: BSD-3-Clause
// Slow twin of deblur/fidelity.h: its formulas, pixel by pixel, in double.
#pragma once

#include "blurfield/deblur/fidelity.h"

namespace blurfield::test {

// `weight` (N | 1, 1 | C, H, W) of frame y, at a pixel; 1 where it is empty.
double weight_at(const Image<double>& weight, Index n, Index c, Index y, Index x);

// Of poisson: m below which the parabola goes on.
double least_mean(const Image<double>& y, const FidelityOptions& options,
                  const Image<double>& weight);

// The term of one pixel with a weight of 1; gaussian's with a noise of 1 for norm.
double misfit_of_pixel(double u, double y, const FidelityOptions& options, double least);

double fidelity_reference(const Image<double>& y, const FidelityOptions& options,
                          const Image<double>& weight, const Image<double>& u);

// The minimiser over e of (e - d)^2 / 2 + step f*(e), f*(e) = max over u of e u - f(u), both found
// by golden section. f is convex; its maximisers are sought within +-reach.
template <class F>
double conjugate_step_reference(const F& f, double d, double step, double reach);

// Where a convex function of one number is least, between low and high.
template <class F>
double least_by_golden_section(const F& f, double low, double high) {
  constexpr double kGolden = 0.6180339887498949;
  double a = high - kGolden * (high - low);
  double b = low + kGolden * (high - low);
  double fa = f(a);
  double fb = f(b);
  for (int i = 0; i < 80; ++i) {
    if (fa < fb) {
      high = b;
      b = a;
      fb = fa;
      a = high - kGolden * (high - low);
      fa = f(a);
    } else {
      low = a;
      a = b;
      fa = fb;
      b = low + kGolden * (high - low);
      fb = f(b);
    }
  }
  return (low + high) / 2;
}

template <class F>
double conjugate_step_reference(const F& f, double d, double step, double reach) {
  const auto conjugate = [&](double e) {
    const double u = least_by_golden_section([&](double t) { return f(t) - e * t; }, -reach, reach);
    return e * u - f(u);
  };
  return least_by_golden_section(
      [&](double e) { return (e - d) * (e - d) / 2 + step * conjugate(e); }, -reach, reach);
}

}  // namespace blurfield::test
