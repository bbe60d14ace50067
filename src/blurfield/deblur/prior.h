// SPDX-License-Identifier: BSD-3-Clause
// What is expected of a sharp scene x, as a function to be small. D x holds the forward differences
// (d_y, d_x) of each pixel, none across the border; H x the second ones, (d_yy, d_yx, d_xx).
//   none      0
//   tikhonov  1/2 sum x^2
//   gradient  1/2 sum |D x|^2
//   norm      sqrt(1/2 sum |D x|^2)
//   tv        sum |D x|, isotropic (Rudin, Osher, Fatemi 1992); where derivatives are asked for
//             sum sqrt(|D x|^2 + scale^2) - scale
//   huber_tv  sum h(|D x|), h(t) = t^2 / (2 scale) up to scale, t - scale / 2 above
//   tv2       the same of |D x| and, 0.4 times, of |H x|: slopes stay slopes instead of steps
//             (Papafitsoros and Schönlieb 2014)
//   hessian   sum of the absolute eigenvalues of H x, the Schatten norm of order 1 (Lefkimmiatis,
//             Ward, Unser 2013), per channel: slopes cost nothing; smoothed like tv
// `joint` takes |D x| over all channels at once (vectorial TV, Bresson and Chan 2008), else each
// channel has its own.
#pragma once

#include <optional>
#include <string_view>

#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"

namespace blurfield {

enum class Prior { none, tikhonov, gradient, norm, tv, huber_tv, tv2, hessian };

std::string_view prior_name(Prior prior);
std::optional<Prior> parse_image_prior(std::string_view name);

struct PriorOptions {
  Prior kind = Prior::tv2;
  double scale = 0.01;  // > 0, of huber_tv and tv2 and of what is smoothed, in x's units
  bool joint = true;
};

template <class T>
class PriorTerm {
 public:
  // For scenes (N, C, H, W). Throws Error for options out of range.
  PriorTerm(const Shape& scene, const PriorOptions& options, int threads = 0);

  const PriorOptions& options() const { return options_; }
  bool active() const { return options_.kind != Prior::none; }
  // With tv and hessian exact, or smoothed as their derivatives are.
  double value(const View<const T>& x, bool smoothed = true) const;
  // The value; adds factor times the gradient to g.
  double add_gradient(const View<const T>& x, double factor, const View<T>& g) const;
  // Adds factor times the Hessian at x times v to product. `known` is value(x), which spares norm a
  // pass.
  void add_product(const View<const T>& x, const View<const T>& v, double factor,
                   const View<T>& product, std::optional<double> known = {}) const;
  // No less than any eigenvalue of the Hessian; infinite for norm.
  double curvature_bound() const;

 private:
  Shape scene_;
  PriorOptions options_;
  int threads_;
};

}  // namespace blurfield
