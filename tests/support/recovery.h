// SPDX-License-Identifier: BSD-3-Clause
// Photographs blurred by fields that are known, and how near an estimate of the field comes.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"
#include "blurfield/learn/estimate.h"
#include "blurfield/ops/covariance.h"
#include "tests/support/images.h"

namespace blurfield::test {

// A grey photograph of examples/images, values 0..1; the part of this size at (y, x).
template <class T>
Image<T> photograph(const std::string& name, Index y = 0, Index x = 0, Index height = 512,
                    Index width = 512) {
  const auto picture = io::load_picture<T>(std::string(BLURFIELD_EXAMPLE_IMAGES) + "/" + name);
  Image<T> part({1, 1, height, width});
  for (Index row = 0; row < height; ++row) {
    std::copy_n(picture.pixels.view().row(0, 0, y + row) + x, width, part.view().row(0, 0, row));
  }
  return part;
}

// Sigma from `low` at the left to `high` at the right.
template <class T>
Image<T> ramp(Index height, Index width, double low, double high) {
  Image<T> field({1, 1, height, width});
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width; ++x) {
      field.view().at(0, 0, y, x) = static_cast<T>(low + (high - low) * static_cast<double>(x) /
                                                             static_cast<double>(width - 1));
    }
  }
  return field;
}

// Covariances whose long axis is the ramp's sigma, `aspect` times the short one, and turns by half
// a turn from top to bottom.
template <class T>
Image<T> turning_ramp(Index height, Index width, double low, double high, double aspect) {
  const Image<T> along = ramp<T>(height, width, low, high);
  Image<T> field({1, 3, height, width});
  for (Index y = 0; y < height; ++y) {
    const double angle = std::numbers::pi * static_cast<double>(y) / static_cast<double>(height);
    const double uy = std::sin(angle);
    const double ux = std::cos(angle);
    for (Index x = 0; x < width; ++x) {
      const double s = std::pow(static_cast<double>(along.view().at(0, 0, y, x)), 2);
      const double t = s / (aspect * aspect);
      const Logchol theta =
          cov_to_logchol({s * uy * uy + t * ux * ux, (s - t) * uy * ux, s * ux * ux + t * uy * uy});
      for (Index k = 0; k < 3; ++k) {
        field.view().at(0, k, y, x) = static_cast<T>(theta[static_cast<std::size_t>(k)]);
      }
    }
  }
  return field;
}

// blur(x; field) with white noise of this standard deviation.
template <class T>
Image<T> noisy_blur(const Image<T>& x, const Image<T>& field, double noise,
                    const AdaptiveBlurOptions& options = {}, std::uint64_t seed = 3) {
  Image<T> y = adaptive_blur<T>(x, field, options);
  Random random(seed);
  for (Index i = 0; i < y.elements(); ++i) y.data()[i] += static_cast<T>(noise * random.normal());
  return y;
}

// Relative error at every pixel of the first field: of the worst sigma, or |Sigma^ - Sigma|_F /
// |Sigma|_F for log-Cholesky fields.
template <class T>
std::vector<double> field_errors(const Image<T>& estimate, const Image<T>& truth) {
  const Index k = truth.shape()[1];
  const Index plane = truth.elements() / (truth.shape()[0] * k);
  std::vector<double> errors;
  for (Index p = 0; p < plane; ++p) {
    const auto at = [&](const Image<T>& field, Index channel) {
      return static_cast<double>(field.data()[channel * plane + p]);
    };
    double error = 0.0;
    if (k < 3) {
      for (Index i = 0; i < k; ++i) {
        error = std::max(error, std::abs(at(estimate, i) / at(truth, i) - 1));
      }
    } else {
      const Cov a = logchol_to_cov({at(estimate, 0), at(estimate, 1), at(estimate, 2)});
      const Cov b = logchol_to_cov({at(truth, 0), at(truth, 1), at(truth, 2)});
      const double gap =
          std::pow(a[0] - b[0], 2) + 2 * std::pow(a[1] - b[1], 2) + std::pow(a[2] - b[2], 2);
      error = std::sqrt(gap / (b[0] * b[0] + 2 * b[1] * b[1] + b[2] * b[2]));
    }
    errors.push_back(error);
  }
  return errors;
}

inline double median(std::vector<double> values) {
  require(!values.empty(), "median", "expected values");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The median of field_errors where the confidence is at least 1/2.
template <class T>
double median_error_where_known(const Estimate<T>& estimate, const Image<T>& truth) {
  const std::vector<double> all = field_errors(estimate.field, truth);
  std::vector<double> known;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (estimate.confidence.data()[i] >= T{0.5}) known.push_back(all[i]);
  }
  return median(known);
}

}  // namespace blurfield::test
