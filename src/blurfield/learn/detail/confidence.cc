// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/confidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "blurfield/learn/detail/residual_power.h"
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

// How many independent pixels an average over the window is worth.
double worth(const Shape& shape, double window) {
  return std::pow(2 * std::sqrt(std::numbers::pi) * window, shape.rank() - 2);
}

template <class T>
Image<T> averaged(const Image<T>& image, double window, int threads) {
  BlurOptions options;
  options.execution.threads = threads;
  options.truncate = 3.0;
  options.extension.mode = Mode::constant;
  return uniform_blur<T>(image, {&window, 1}, options);
}

// By how much the variances that noise would leave have to grow at each pixel, >= 1: where noise is
// larger than assumed, and much more where the residual is not white, since what a blur cannot
// explain is alike all over the window. (F, 1, H, W).
template <class T>
Image<T> variance_growth(Problem<T>& problem, std::span<const T> s, double window,
                         const EstimateOptions& options) {
  constexpr double kWhite = 1.5;  // the ratio of the two powers that chance explains
  const double wide = window > 0 ? window : options.confidence_window;
  const Shape& image = problem.fit().image();
  const int threads = options.blur.execution.threads;
  const Image<T> power =
      averaged(residual_power<T>(problem.residual(s), problem.weights(), options), wide, threads);
  Shape shape = power.shape();
  const Index plane = power.elements() / (shape[0] * 3);
  const double pixels = std::max(1.0, worth(image, window));
  const double assumed = problem.noise() * problem.noise();
  shape[1] = 1;
  Image<T> growth(shape);
  for (Index i = 0; i < growth.elements(); ++i) {
    const T* at = power.data() + i / plane * 3 * plane + i % plane;
    const double expected = assumed * static_cast<double>(at[2 * plane]);
    const double noise = std::max(static_cast<double>(at[plane]), expected / 4);
    const double excess =
        noise > 0 ? std::max(0.0, static_cast<double>(at[0]) / noise - kWhite) : 0;
    growth.data()[i] =
        static_cast<T>(expected > 0 ? std::max(1.0, noise / expected) * (1 + excess * pixels) : 1);
  }
  return growth;
}

// d(log sigma)/ds, or d(weight)/ds for mix.
double slope_of(double s, const EstimateOptions& options) {
  if (options.model != BlurModel::mix) return sigma_slope(s, options) / sigma_of(s, options);
  const double m = 1.0 / (1.0 + std::exp(-s));
  return m * (1.0 - m);
}

// Of the first global parameter, whatever the others; the residual as it is counts as noise.
double variance_of_global(const std::vector<double>& gram, Index globals) {
  double inverse[6] = {};
  for (Index i = 0; i < globals; ++i) {
    for (Index j = 0; j <= i; ++j) {
      inverse[packed(i, j)] = gram[static_cast<std::size_t>(i * globals + j)];
    }
  }
  return invert_symmetric(globals, inverse) ? inverse[0] : INFINITY;
}

}  // namespace

template <class T>
Image<T> confidence_map(Problem<T>& problem, std::span<const T> s, double window,
                        const EstimateOptions& options) {
  const BlurFit<T>& fit = problem.fit();
  Shape shape = fit.image();
  if (options.shared) shape[0] = 1;
  shape[1] = 1;
  Image<T> map(shape);
  const Index k = fit.local().rank() > 0 ? fit.local()[1] : 0;
  if (k == 0) {
    const double excess = std::max(1.0, std::pow(problem.residual_size(s) / problem.noise(), 2));
    const NormalEquations<T>& equations = problem.equations(s);
    const double slope = slope_of(static_cast<double>(s[0]), options);
    const double variance = variance_of_global(equations.gram(), fit.global());
    std::fill_n(map.data(), map.elements(),
                static_cast<T>(confidence(slope * slope * variance * excess)));
    return map;
  }
  const Image<T> growth = variance_growth(problem, s, window, options);
  const int threads = options.blur.execution.threads;
  const Image<T>& blocks = problem.equations(s).blocks();
  const Image<T> information =
      window > 0 ? averaged(blocks, window, threads) : Image<T>(blocks.view());
  const double pixels = window > 0 ? worth(fit.image(), window) : 1.0;
  const Index plane = map.elements() / shape[0];
  const Index triangle = k * (k + 1) / 2;
  parallel_slices(map.elements(), threads, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index f = i / plane;
      const Index p = i % plane;
      double block[6] = {};
      double theta[3] = {};
      for (Index j = 0; j < triangle; ++j) {
        block[j] = pixels * static_cast<double>(information.data()[(f * triangle + j) * plane + p]);
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
          variance =
              std::max(variance, block[packed(j, j)] * std::pow(slope_of(theta[j], options), 2));
        }
      }
      map.data()[i] = static_cast<T>(confidence(variance * static_cast<double>(growth.data()[i])));
    }
  });
  return map;
}

template Image<float> confidence_map(Problem<float>&, std::span<const float>, double,
                                     const EstimateOptions&);
template Image<double> confidence_map(Problem<double>&, std::span<const double>, double,
                                      const EstimateOptions&);

}  // namespace blurfield::detail
