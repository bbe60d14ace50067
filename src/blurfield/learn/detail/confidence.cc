// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/confidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "blurfield/learn/detail/small_symmetric.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::detail {
namespace {

// The error of log sigma (or of a weight) that counts as a confidence of 1/2.
constexpr double kHalfKnown = 0.1;

double confidence(double variance) {
  if (!(variance >= 0)) return 0.0;
  return 1.0 / (1.0 + variance / (kHalfKnown * kHalfKnown));
}

// The relative error of the covariance, halved to compare with that of a sigma, squared.
double covariance_error(const Logchol& theta, const double* variance) {
  const Jacobian3 jacobian = logchol_to_cov_jacobian(theta);
  const Cov cov = logchol_to_cov(theta);
  const double twice[] = {1.0, 2.0, 1.0};  // Sigma_yx stands twice in the Frobenius norm
  double error = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < 3; ++i) {
    double own = 0.0;
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k) {
        const std::size_t at = j >= k ? j * (j + 1) / 2 + k : k * (k + 1) / 2 + j;
        own += jacobian[i][j] * variance[at] * jacobian[i][k];
      }
    }
    error += twice[i] * own;
    size += twice[i] * cov[i] * cov[i];
  }
  return error / size / 4.0;
}

// The information within a window around each pixel: as many pixels as a Gaussian average is worth.
template <class T>
Image<T> pooled(const Image<T>& blocks, double window, int threads) {
  if (!(window > 0)) return Image<T>(blocks.view());
  BlurOptions options;
  options.execution.threads = threads;
  options.truncate = 3.0;
  options.extension.mode = Mode::constant;
  Image<T> result = uniform_blur<T>(blocks, {&window, 1}, options);
  const double worth = std::pow(2 * std::sqrt(std::numbers::pi) * window,
                                static_cast<double>(blocks.shape().rank() - 2));
  for (Index i = 0; i < result.elements(); ++i) result.data()[i] *= static_cast<T>(worth);
  return result;
}

}  // namespace

template <class T>
Image<T> confidence_map(const BlurFit<T>& fit, const NormalEquations<T>& equations,
                        std::span<const T> s, double window, const EstimateOptions& options) {
  Shape shape = fit.image();
  if (options.shared) shape[0] = 1;
  shape[1] = 1;
  Image<T> map(shape);
  const Index k = fit.local().rank() > 0 ? fit.local()[1] : 0;
  // d(log sigma)/ds, or d(weight)/ds for mix
  const auto slope = [&](double at) {
    if (options.model != BlurModel::mix) return sigma_slope(at, options) / sigma_of(at, options);
    const double m = 1.0 / (1.0 + std::exp(-at));
    return m * (1.0 - m);
  };
  if (k == 0) {
    const double information = equations.gram()[0];
    const double d = slope(static_cast<double>(s[0]));
    const double known = confidence(information > 0 ? d * d / information : INFINITY);
    std::fill_n(map.data(), map.elements(), static_cast<T>(known));
    return map;
  }
  const int threads = options.blur.execution.threads;
  const Image<T> information = pooled(equations.blocks(), window, threads);
  const Index plane = map.elements() / shape[0];
  const Index triangle = k * (k + 1) / 2;
  parallel_slices(map.elements(), threads, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index f = i / plane;
      const Index p = i % plane;
      double block[6];
      double theta[3];
      for (Index j = 0; j < triangle; ++j) {
        block[j] = static_cast<double>(information.data()[(f * triangle + j) * plane + p]);
      }
      for (Index j = 0; j < k; ++j) {
        theta[j] = static_cast<double>(s[static_cast<std::size_t>((f * k + j) * plane + p)]);
      }
      if (!invert_symmetric(k, block)) continue;
      double variance = 0.0;
      if (k == 3) {
        variance = covariance_error({theta[0], theta[1], theta[2]}, block);
      } else {
        for (Index j = 0; j < k; ++j) {
          variance = std::max(variance, block[j * (j + 3) / 2] * std::pow(slope(theta[j]), 2));
        }
      }
      map.data()[i] = static_cast<T>(confidence(variance));
    }
  });
  return map;
}

template Image<float> confidence_map(const BlurFit<float>&, const NormalEquations<float>&,
                                     std::span<const float>, double, const EstimateOptions&);
template Image<double> confidence_map(const BlurFit<double>&, const NormalEquations<double>&,
                                      std::span<const double>, double, const EstimateOptions&);

}  // namespace blurfield::detail
