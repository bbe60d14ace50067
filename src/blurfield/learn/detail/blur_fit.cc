// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/blur_fit.h"

#include <algorithm>
#include <cmath>

namespace blurfield::detail {

double sigma_of(double s, const EstimateOptions& options) {
  return options.parameter == SigmaParameter::exponential ? std::exp(s)
                                                          : soft_maximum(s, options.soft_maximum);
}

double sigma_slope(double s, const EstimateOptions& options) {
  return options.parameter == SigmaParameter::exponential
             ? std::exp(s)
             : soft_maximum_derivative(s, options.soft_maximum);
}

double parameter_of(double sigma, const EstimateOptions& options) {
  if (options.parameter == SigmaParameter::exponential) return std::log(sigma);
  // A hair above the minimum: there the parameter still moves it.
  const double least = options.soft_maximum.sigma_min + 1e-3;
  return soft_maximum_inverse(std::max(sigma, least), options.soft_maximum);
}

template <class T>
std::unique_ptr<BlurFit<T>> make_blur_fit(const View<const T>& x, const EstimateOptions& options) {
  switch (options.model) {
    case BlurModel::uniform:
      return make_uniform_fit<T>(x, options);
    case BlurModel::mix:
      return make_mix_fit<T>(x, options);
    default:
      return make_adaptive_fit<T>(x, options);
  }
}

template std::unique_ptr<BlurFit<float>> make_blur_fit(const View<const float>&,
                                                       const EstimateOptions&);
template std::unique_ptr<BlurFit<double>> make_blur_fit(const View<const double>&,
                                                        const EstimateOptions&);

}  // namespace blurfield::detail
