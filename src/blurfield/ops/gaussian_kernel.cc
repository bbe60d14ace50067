// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/gaussian_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "blurfield/ops/covariance.h"

namespace blurfield {
namespace {

void check_gaussian(const char* operation, double sigma, int radius, int order) {
  require(std::isfinite(sigma) && sigma > 0, operation, "expected sigma > 0, got ", sigma);
  require(radius >= 0, operation, "expected radius >= 0, got ", radius);
  require(order >= 0, operation, "expected order >= 0, got ", order);
}

Kernel2d empty_kernel(const char* operation, std::array<int, 2> radius) {
  require(radius[0] >= 0 && radius[1] >= 0, operation, "expected radii >= 0, got (", radius[0],
          ", ", radius[1], ")");
  return {radius[0], radius[1],
          std::vector<double>((2 * static_cast<std::size_t>(radius[0]) + 1) *
                              (2 * static_cast<std::size_t>(radius[1]) + 1))};
}

// q_order and d q_order / d sigma at k: q_n = (-1/sigma)^n He_n(k / sigma), (G8).
struct Hermite {
  double q;
  double dq;
};
Hermite hermite(double k, double sigma, int order) {
  const double u = k / sigma;
  double before = 0.0;  // He_(n-1)
  double he = 1.0;
  double scale = 1.0;
  for (int n = 0; n < order; ++n) {
    const double next = u * he - n * before;
    before = he;
    he = next;
    scale /= -sigma;
  }
  return {scale * he, -order * scale / sigma * (he + u * before)};
}

std::vector<double> outer(const std::vector<double>& column, const std::vector<double>& row) {
  std::vector<double> product;
  product.reserve(column.size() * row.size());
  for (double v : column) {
    for (double h : row) product.push_back(v * h);
  }
  return product;
}

std::vector<double> difference(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

// A factor of 0 wins over an infinite one.
double times(double a, double b) { return a == 0 || b == 0 ? 0.0 : a * b; }

// z1 and z2 of (G5) at one tap, and e^-c.
struct Whitened {
  double z1;
  double z2;
  double e_c;
};
Whitened whiten(const std::array<double, 3>& logchol, int dy, int dx) {
  const auto [a, b, c] = logchol;
  const double e_c = std::exp(-c);
  const double z1 = times(std::exp(-a), dy);
  return {z1, times(e_c, dx - times(b, z1)), e_c};
}

}  // namespace

std::array<int, 2> gaussian_radius(const std::array<double, 3>& logchol, double truncate) {
  const auto [sigma_y, sigma_x] = logchol_to_sigma(logchol);
  return {std::max(1, gaussian_radius(sigma_y, truncate)),
          std::max(1, gaussian_radius(sigma_x, truncate))};
}

namespace {

// Where tap k of a kernel stands.
std::size_t at(int k, int radius) {
  return static_cast<std::size_t>(k) + static_cast<std::size_t>(radius);
}

}  // namespace

std::vector<double> gaussian_kernel1d(double sigma, int radius, int order) {
  check_gaussian("gaussian_kernel1d", sigma, radius, order);
  std::vector<double> w(2 * static_cast<std::size_t>(radius) + 1);
  double sum = 0.0;
  for (int k = -radius; k <= radius; ++k) {
    const double u = k / sigma;
    sum += w[at(k, radius)] = std::exp(-0.5 * u * u);
  }
  for (int k = -radius; k <= radius; ++k) {
    double& weight = w[at(k, radius)];
    weight /= sum;
    if (order > 0 && weight != 0) weight *= hermite(k, sigma, order).q;
  }
  return w;
}

std::vector<double> gaussian_kernel1d_dsigma(double sigma, int radius, int order) {
  check_gaussian("gaussian_kernel1d_dsigma", sigma, radius, order);
  std::vector<double> w = gaussian_kernel1d(sigma, radius);
  double m2 = 0.0;
  for (int k = -radius; k <= radius; ++k) {
    m2 += w[at(k, radius)] * static_cast<double>(k) * k;
  }
  for (int k = -radius; k <= radius; ++k) {
    double& weight = w[at(k, radius)];
    if (weight == 0) continue;
    const auto [q, dq] = hermite(k, sigma, order);
    const double k2 = static_cast<double>(k) * k;
    weight *= q * ((k2 - m2) / sigma / sigma / sigma) + dq;  // (G2), (G8)
  }
  return w;
}

Kernel2d gaussian_kernel2d(std::array<double, 2> sigma, std::array<int, 2> radius,
                           std::array<int, 2> order) {
  return {radius[0], radius[1],
          outer(gaussian_kernel1d(sigma[0], radius[0], order[0]),
                gaussian_kernel1d(sigma[1], radius[1], order[1]))};
}

Kernel2d gaussian_kernel2d_logchol(const std::array<double, 3>& logchol,
                                   std::array<int, 2> radius) {
  Kernel2d kernel = empty_kernel("gaussian_kernel2d", radius);
  double sum = 0.0;
  for (int dy = -kernel.ry; dy <= kernel.ry; ++dy) {
    for (int dx = -kernel.rx; dx <= kernel.rx; ++dx) {
      const Whitened at = whiten(logchol, dy, dx);
      const double square = at.z1 * at.z1 + at.z2 * at.z2;
      sum += kernel.at(dy, dx) = std::isfinite(square) ? std::exp(-0.5 * square) : 0.0;
    }
  }
  for (double& tap : kernel.taps) tap /= sum;
  return kernel;
}

std::array<Kernel2d, 3> gaussian_kernel2d_dlogchol(const std::array<double, 3>& logchol,
                                                   std::array<int, 2> radius) {
  const Kernel2d w = gaussian_kernel2d_logchol(logchol, radius);
  std::array<Kernel2d, 3> d{w, w, w};
  std::array<double, 3> mean{};
  for (int dy = -w.ry; dy <= w.ry; ++dy) {
    for (int dx = -w.rx; dx <= w.rx; ++dx) {
      const double weight = w.at(dy, dx);
      if (weight == 0) continue;
      const auto [z1, z2, e_c] = whiten(logchol, dy, dx);
      const double by_b = times(e_c, times(z1, z2));
      const std::array<double, 3> slope{z1 * z1 - times(logchol[1], by_b), by_b, z2 * z2};  // (G6)
      for (int i = 0; i < 3; ++i) mean[i] += d[i].at(dy, dx) = weight * slope[i];
    }
  }
  for (int i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < w.taps.size(); ++j) d[i].taps[j] -= w.taps[j] * mean[i];
  }
  return d;
}

std::vector<double> difference_of_gaussians1d(double sigma_1, double sigma_2, int radius) {
  return difference(gaussian_kernel1d(sigma_1, radius), gaussian_kernel1d(sigma_2, radius));
}

Kernel2d difference_of_gaussians2d(double sigma_1, double sigma_2, int radius) {
  const std::array<int, 2> radii{radius, radius};
  Kernel2d first = gaussian_kernel2d(std::array{sigma_1, sigma_1}, radii);
  const Kernel2d second = gaussian_kernel2d(std::array{sigma_2, sigma_2}, radii);
  first.taps = difference(std::move(first.taps), second.taps);
  return first;
}

}  // namespace blurfield
