// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/gaussian_terms.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/low_rank.h"

namespace blurfield::detail {
namespace {

constexpr double kMaxTaps = 0x1p25;
constexpr double kUnderflow = 38.61;  // exp(-u^2 / 2) is 0 in double beyond this u

// What the terms of a full covariance may lack: below the rounding of the sums.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-7 : 1e-14;

Logchol logchol_of(const std::vector<double>& p) { return {p[0], p[1], p[2]}; }

double sum_of(const Taps& taps) {
  double sum = 0.0;
  for (double w : taps.weights) sum += w;
  return sum;
}

}  // namespace

UniformGaussian::UniformGaussian(const char* operation, const Shape& shape,
                                 std::span<const double> params, const BlurOptions& options)
    : parameters_(params.begin(), params.end()),
      extension_(options.extension),
      execution_(options.execution) {
  const int axes = shape.rank() - 2;
  check_options(operation, options, axes);
  const auto count = parameters_.size();
  require(count == 1 || (axes == 2 && (count == 2 || count == 3)), operation, "expected ",
          axes == 2 ? "1, 2 or 3 parameters" : "1 parameter for a signal", ", got ", count);
  for (double p : parameters_) {
    require(std::isfinite(p) && (p >= 0 || count == 3), operation, "expected ",
            count == 3 ? "finite logchol" : "finite sigma >= 0", ", got ", p);
  }
  if (count == 3) {
    sigma_ = logchol_to_sigma(logchol_of(parameters_));
    require(std::isfinite(sigma_[0]) && std::isfinite(sigma_[1]), operation,
            "expected logchol of a finite width, got (", parameters_[0], ", ", parameters_[1], ", ",
            parameters_[2], ")");
  } else {
    sigma_ = {axes == 2 ? parameters_[0] : 0.0, parameters_.back()};
  }
  for (int i = 0; i < 2; ++i) {
    if (count < 3 && sigma_[i] == 0) continue;
    const int given = resolve_radius(options, axes == 2 ? i : 0, sigma_[i]);
    const double reach = std::clamp(std::ceil(kUnderflow * sigma_[i]), 1.0, 0x1p30);
    radius_[i] = count == 3 && options.radius.empty() ? std::max(1, given) : given;
    radius_[i] = std::min(radius_[i], static_cast<int>(reach));
  }
  const double height = 2.0 * radius_[0] + 1;
  const double width = 2.0 * radius_[1] + 1;
  const double taps = count == 3 ? height * width : std::max(height, width);
  require(taps <= kMaxTaps, operation, "expected a kernel of at most ", kMaxTaps, " taps, got ",
          taps, " (radius ", radius_[0], ", ", radius_[1], ")");
}

Taps UniformGaussian::axis(int i) const {
  return sigma_[i] == 0 ? Taps{} : centred_taps(gaussian_kernel1d(sigma_[i], radius_[i]));
}

Taps UniformGaussian::axis_slope(int i) const {
  return sigma_[i] == 0 ? Taps{0, {0.0}}
                        : centred_taps(gaussian_kernel1d_dsigma(sigma_[i], radius_[i]));
}

std::vector<Term> UniformGaussian::terms(double tolerance) const {
  if (parameters_.size() == 3) {
    return split_kernel(gaussian_kernel2d_logchol(logchol_of(parameters_), radius_), tolerance,
                        extension_.cval);
  }
  return {{axis(0), axis(1), extension_.cval}};
}

std::vector<Term> UniformGaussian::slope_terms(std::size_t i, double tolerance) const {
  if (parameters_.size() == 3) {
    const auto kernels = gaussian_kernel2d_dlogchol(logchol_of(parameters_), radius_);
    return split_kernel(kernels[i], tolerance, extension_.cval);
  }
  std::vector<Term> terms;
  const bool both = parameters_.size() == 1;
  if ((both || i == 0) && sigma_[0] != 0) {
    const Taps slope = axis_slope(0);
    terms.push_back({slope, axis(1), extension_.cval * sum_of(slope)});
  }
  if ((both || i == 1) && sigma_[1] != 0)
    terms.push_back({axis(0), axis_slope(1), extension_.cval});
  if (terms.empty()) terms.push_back({{0, {0.0}}, {0, {0.0}}, 0.0});
  return terms;
}

template <class T>
TermSum UniformGaussian::blur() const {
  return {terms(kTolerance<T>), extension_, false, execution_};
}

template <class T>
TermSum UniformGaussian::slope(std::size_t i) const {
  return {slope_terms(i, kTolerance<T>), extension_, false, execution_};
}

double UniformGaussian::taps() const { return term_taps(terms(kTolerance<double>)); }

TermSum linear_part(TermSum sum) {
  sum.extension.cval = 0.0;
  for (Term& term : sum.terms) term.side = 0.0;
  return sum;
}

TermSum adjoint(TermSum sum) {
  sum = linear_part(std::move(sum));
  sum.transposed = true;
  return sum;
}

TermSum scaled(TermSum sum, double factor) {
  for (Term& term : sum.terms) {
    for (double& w : term.horizontal.weights) w *= factor;
  }
  return sum;
}

template TermSum UniformGaussian::blur<float>() const;
template TermSum UniformGaussian::blur<double>() const;
template TermSum UniformGaussian::slope<float>(std::size_t) const;
template TermSum UniformGaussian::slope<double>(std::size_t) const;

}  // namespace blurfield::detail
