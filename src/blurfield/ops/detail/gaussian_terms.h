// SPDX-License-Identifier: BSD-3-Clause
// The sampled Gaussian of a uniform blur, and its derivatives by its parameters, as separable
// terms.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "blurfield/ops/detail/term_sum.h"

namespace blurfield::detail {

// Parameters as in uniform_blur.h, checked, with the radii and options they are used with.
class UniformGaussian {
 public:
  // Throws Error in the operation's name.
  UniformGaussian(const char* operation, const Shape& shape, std::span<const double> params,
                  const BlurOptions& options);

  // The blur, and its derivative by parameter i, to the rounding of T.
  template <class T>
  TermSum blur() const;
  template <class T>
  TermSum slope(std::size_t i) const;

  const std::vector<double>& parameters() const { return parameters_; }
  // Along y and x.
  const std::array<double, 2>& sigma() const { return sigma_; }
  const std::array<int, 2>& radius() const { return radius_; }
  const Extension& extension() const { return extension_; }

  // Taps per pixel of blur<double>().
  double taps() const;

 private:
  std::vector<Term> terms(double tolerance) const;
  std::vector<Term> slope_terms(std::size_t i, double tolerance) const;
  Taps axis(int i) const;
  Taps axis_slope(int i) const;

  std::vector<double> parameters_;
  std::array<double, 2> sigma_{};  // along y and x
  std::array<int, 2> radius_{};
  Extension extension_;
  Execution execution_;
};

// Without what cval adds.
TermSum linear_part(TermSum sum);
// The transpose of the linear part.
TermSum adjoint(TermSum sum);
TermSum scaled(TermSum sum, double factor);

}  // namespace blurfield::detail
