// SPDX-License-Identifier: BSD-3-Clause
#include "apps/quality.h"

#include <array>
#include <cmath>

#include "blurfield/ops/uniform_blur.h"

namespace blurfield::app {
namespace {

constexpr int kWindowRadius = 5;
constexpr std::array<double, 1> kWindowSigma = {1.5};

// Channel c of page n, (1, 1, H, W).
View<const double> plane(const View<const double>& image, Index n, Index c) {
  View<const double> one = image;
  one.data = image.row(n, c, 0);
  one.shape[0] = one.shape[1] = 1;
  return one;
}

// Window means of the product of two planes.
Image<double> mean_product(const View<const double>& a, const View<const double>& b,
                           const BlurOptions& window) {
  Image<double> product(a.shape);
  for (Index y = 0; y < a.height(); ++y) {
    for (Index x = 0; x < a.width(); ++x) {
      product.view().at(0, 0, y, x) = a.at(0, 0, y, x) * b.at(0, 0, y, x);
    }
  }
  return uniform_blur<double>(product, kWindowSigma, window);
}

double plane_ssim(const View<const double>& a, const View<const double>& b, double data_range,
                  const BlurOptions& window) {
  const double c1 = std::pow(0.01 * data_range, 2);
  const double c2 = std::pow(0.03 * data_range, 2);
  const Image<double> mean_a = uniform_blur<double>(Image<double>(a), kWindowSigma, window);
  const Image<double> mean_b = uniform_blur<double>(Image<double>(b), kWindowSigma, window);
  const Image<double> aa = mean_product(a, a, window);
  const Image<double> bb = mean_product(b, b, window);
  const Image<double> ab = mean_product(a, b, window);
  double sum = 0;
  for (Index y = kWindowRadius; y < a.height() - kWindowRadius; ++y) {
    for (Index x = kWindowRadius; x < a.width() - kWindowRadius; ++x) {
      const Index i = y * a.width() + x;
      const double ma = mean_a.data()[i];
      const double mb = mean_b.data()[i];
      const double var_a = aa.data()[i] - ma * ma;
      const double var_b = bb.data()[i] - mb * mb;
      const double cov = ab.data()[i] - ma * mb;
      sum +=
          (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (var_a + var_b + c2));
    }
  }
  return sum /
         static_cast<double>((a.height() - 2 * kWindowRadius) * (a.width() - 2 * kWindowRadius));
}

}  // namespace

Quality measure_quality(const View<const double>& a, const View<const double>& b, double data_range,
                        const Execution& execution, bool with_ssim) {
  require(a.shape == b.shape, "measure_quality", "expected equal shapes, got ", a.shape.text(),
          " and ", b.shape.text());
  Quality quality;
  double squares = 0;
  BlurOptions window;
  window.radius = {kWindowRadius};
  window.execution = execution;
  const bool large = with_ssim && std::min(a.height(), a.width()) > 2 * kWindowRadius;
  double ssim = 0;
  for (Index n = 0; n < a.batch(); ++n) {
    for (Index c = 0; c < a.channels(); ++c) {
      for (Index y = 0; y < a.height(); ++y) {
        for (Index x = 0; x < a.width(); ++x) {
          const double error = std::abs(a.at(n, c, y, x) - b.at(n, c, y, x));
          squares += error * error;
          if (error > quality.max_error) {
            quality.max_error = error;
            quality.max_place = {n, c, y, x};
          }
        }
      }
      if (large) ssim += plane_ssim(plane(a, n, c), plane(b, n, c), data_range, window);
    }
  }
  quality.rms = std::sqrt(squares / static_cast<double>(a.shape.elements()));
  quality.psnr = 20 * std::log10(data_range / quality.rms);
  if (large) quality.ssim = ssim / static_cast<double>(a.batch() * a.channels());
  return quality;
}

}  // namespace blurfield::app
