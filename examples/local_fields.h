// SPDX-License-Identifier: BSD-3-Clause
// Small fields of Gaussians to be recovered, and how far a recovered one is from the truth.
#pragma once

#include "blurfield/base/random.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/ops/gaussian_kernel.h"
#include "examples/study.h"

namespace blurfield::examples {

inline constexpr Index kSide = 32;

// Two standard deviations to each side, zeros beyond the border.
inline AdaptiveBlurOptions blur_options() {
  AdaptiveBlurOptions options;
  options.extension.mode = Mode::constant;
  options.truncate = 2;
  return options;
}

inline Image<double> normal_image(const Shape& shape, Random& random, double scale = 1) {
  Image<double> image(shape);
  for (double& v : parameters(image)) v = scale * random.normal();
  return image;
}

// (a, b, c) of pixel i of a field (N, 3, H, W).
inline Logchol theta_at(const Image<double>& field, Index i) {
  const Index pixels = field.shape()[2] * field.shape()[3];
  const double* at = field.data() + i / pixels * 3 * pixels + i % pixels;
  return {at[0], at[pixels], at[2 * pixels]};
}

inline Kernel2d kernel_of(const Logchol& theta) {
  return gaussian_kernel2d_logchol(theta, gaussian_radius(theta, 2));
}

// Parameters of either kind as log-Cholesky ones.
inline Image<double> as_logchol(const Image<double>& s) {
  if (s.shape()[1] == 3) return Image<double>(s.view());
  Image<double> field({1, 3, kSide, kSide});
  std::copy_n(s.data(), s.elements(), field.data());
  std::copy_n(s.data(), s.elements(), field.data() + 2 * s.elements());
  return field;
}

// Four bands of as many rows: covariances diag(2, 2), diag(2, 4), [[1, 1], [1, 4]], and random.
inline Image<double> band_field(Random& random) {
  const std::array<Logchol, 3> bands{cov_to_logchol(Cov{2, 0, 2}), cov_to_logchol(Cov{2, 0, 4}),
                                     cov_to_logchol(Cov{1, 1, 4})};
  Image<double> field = normal_image({1, 3, kSide, kSide}, random, 0.2);
  constexpr Index kBand = kSide * kSide / 4;
  for (Index k = 0; k < 3; ++k) {
    for (Index i = 0; i < 3 * kBand; ++i) {
      field.data()[k * kSide * kSide + i] =
          bands[static_cast<std::size_t>(i / kBand)][static_cast<std::size_t>(k)];
    }
  }
  return field;
}

// Four bands of log sigma -1, -0.5, 0, 0.5.
inline Image<double> spherical_field() {
  Image<double> s({1, 1, kSide, kSide});
  for (Index i = 0; i < s.elements(); ++i) {
    s.data()[i] = -1 + 0.5 * static_cast<double>(i / (kSide * kSide / 4));
  }
  return as_logchol(s);
}

// Per pixel: the mean squared error of the parameters that were learned.
inline Image<double> parameter_errors(const Image<double>& truth, const Image<double>& s) {
  const Image<double> field = as_logchol(s);
  const int learned = s.shape()[1] == 1 ? 2 : 3;  // log sigma is both a and c, b stays 0
  Image<double> errors({1, 1, kSide, kSide});
  for (Index i = 0; i < field.elements(); ++i) {
    errors.data()[i % errors.elements()] +=
        std::pow(field.data()[i] - truth.data()[i], 2) / learned;
  }
  return errors;
}

inline double mean_of(const Image<double>& values) {
  double total = 0;
  for (Index i = 0; i < values.elements(); ++i) total += values.data()[i];
  return total / static_cast<double>(values.elements());
}

// The median over pixels of |Sigma^ - Sigma| / |Sigma|, Frobenius norms.
inline double covariance_error(const Image<double>& truth, const Image<double>& s) {
  const Image<double> field = as_logchol(s);
  std::vector<double> errors;
  for (Index i = 0; i < kSide * kSide; ++i) {
    const Cov got = logchol_to_cov(theta_at(field, i));
    const Cov wanted = logchol_to_cov(theta_at(truth, i));
    const auto size = [](double yy, double yx, double xx) {
      return std::sqrt(yy * yy + 2 * yx * yx + xx * xx);
    };
    errors.push_back(size(got[0] - wanted[0], got[1] - wanted[1], got[2] - wanted[2]) /
                     size(wanted[0], wanted[1], wanted[2]));
  }
  std::nth_element(errors.begin(), errors.begin() + kSide * kSide / 2, errors.end());
  return errors[kSide * kSide / 2];
}

}  // namespace blurfield::examples
