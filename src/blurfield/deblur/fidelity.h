// SPDX-License-Identifier: BSD-3-Clause
// How well a predicted frame u = A x fits the recorded one y, given weights w >= 0 (0 leaves a
// pixel out; 1 / variance where that varies). With r = u - y and s the noise:
//   gaussian  1/2 sum w (r / s)^2
//   huber     sum w h(r / s), h(t) = t^2 / 2 up to the threshold, then straight on: outliers count
//             less
//   poisson   sum w (m - k log m) less its least value, m = (u + background) / gain and
//             k = (y - offset) / gain >= 0 in counts; below the larger of the background and 1 %
//             of the mean k, a parabola goes on: it is finite everywhere, and least at m = k
//   norm      sqrt(1/2 sum w r^2)
#pragma once

#include <optional>
#include <string_view>

#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"

namespace blurfield {

enum class Fidelity { gaussian, huber, poisson, norm };

std::string_view fidelity_name(Fidelity fidelity);
std::optional<Fidelity> parse_fidelity(std::string_view name);

struct FidelityOptions {
  Fidelity kind = Fidelity::gaussian;
  double noise = 1.0;        // s of gaussian and huber, > 0
  double threshold = 1.345;  // of huber, in units of s, > 0
  // Poisson: y = gain counts + offset, counts ~ Poisson((A x + background) / gain); x, background
  // and offset are in y's units.
  double gain = 1.0;  // > 0
  double offset = 0.0;
  double background = 0.0;  // >= 0
};

template <class T>
class FidelityTerm {
 public:
  // `weight` (N | 1, 1 | C, H, W) or empty. y and weight must outlive this. Throws Error for
  // options out of range, shapes that do not match, and pixels of weight > 0 that are not finite.
  FidelityTerm(const View<const T>& y, const FidelityOptions& options,
               const View<const T>& weight = {}, int threads = 0);

  const FidelityOptions& options() const { return options_; }
  // Predictions are frames whose pixels lie side by side.
  double value(const View<const T>& u) const;
  // The value; u becomes the gradient by u.
  double gradient(const View<T>& u) const;
  // v becomes the Hessian at u times v. `known` is value(u), which spares norm a pass.
  void curvature(const View<const T>& u, const View<T>& v, std::optional<double> known = {}) const;
  // No less than any eigenvalue of the Hessian; infinite for norm.
  double curvature_bound() const;
  // d becomes the minimiser over e of |e - d|^2 / 2 + step F*(e), F* the convex conjugate of this
  // function: the dual step of a primal-dual method. Not for norm.
  void conjugate_step(const View<T>& d, double step) const;
  double counted() const { return counted_; }  // pixels of weight > 0
  // sqrt(chi^2 / counted()) at a value: about 1 where the prediction misses by the noise.
  double residual(double value) const;

 private:
  template <class F>
  auto with_pixel(const F& f) const;
  template <class U, class F>
  double sum(const View<U>& u, const F& f) const;

  View<const T> y_;
  View<const T> weight_;
  FidelityOptions options_;
  int threads_;
  double counted_ = 0.0;
  double smallest_ = 0.0;  // of m of poisson, below which a parabola goes on
};

}  // namespace blurfield
