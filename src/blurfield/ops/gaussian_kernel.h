// SPDX-License-Identifier: BSD-3-Clause
// Sampled Gaussians and their derivatives (G1-G6, G8), in double. Widths are in pixels.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "blurfield/base/view.h"

namespace blurfield {

// A kernel of (2 ry + 1)(2 rx + 1) taps, row-major, centre at (ry, rx); to be correlated.
struct Kernel2d {
  int ry = 0;
  int rx = 0;
  std::vector<double> taps;
  double& at(int dy, int dx) { return taps[offset(dy, dx)]; }
  double at(int dy, int dx) const { return taps[offset(dy, dx)]; }

 private:
  std::size_t offset(int dy, int dx) const {
    return static_cast<std::size_t>(dy + ry) * static_cast<std::size_t>(2 * rx + 1) +
           static_cast<std::size_t>(dx + rx);
  }
};

// r(sigma) = max(1, floor(truncate * sigma + 1/2)); 0 unless sigma > 0. Saturates at
// 2^30.
inline int gaussian_radius(double sigma, double truncate) {
  if (!(sigma > 0)) return 0;
  return static_cast<int>(std::clamp(truncate * sigma + 0.5, 1.0, 0x1p30));
}

// The radii (ry, rx) of a full covariance: r(sqrt(Sigma_yy)), r(sqrt(Sigma_xx)).
std::array<int, 2> gaussian_radius(const std::array<double, 3>& logchol, double truncate);

// (G1), (G8): 2 r + 1 weights w^(order)(k), k = -r..r, a convolution kernel (for odd orders the
// correlation kernel is its mirror image). Any order >= 0. Sigma > 0.
std::vector<double> gaussian_kernel1d(double sigma, int radius, int order = 0);

// (G2) and its likes: d w^(order)(k) / d sigma, at a fixed radius.
std::vector<double> gaussian_kernel1d_dsigma(double sigma, int radius, int order = 0);

// (G3): product of two 1-D kernels of the given orders.
Kernel2d gaussian_kernel2d(std::array<double, 2> sigma_yx, std::array<int, 2> radius_yx,
                           std::array<int, 2> order_yx = {0, 0});

// (G5): weights of the log-Cholesky parameters (a, b, c).
Kernel2d gaussian_kernel2d_logchol(const std::array<double, 3>& logchol,
                                   std::array<int, 2> radius_yx);

// (G6): their derivatives by a, b and c.
std::array<Kernel2d, 3> gaussian_kernel2d_dlogchol(const std::array<double, 3>& logchol,
                                                   std::array<int, 2> radius_yx);

// Difference of Gaussians, w(sigma_1) - w(sigma_2), on a common radius; sums to 0.
std::vector<double> difference_of_gaussians1d(double sigma_1, double sigma_2, int radius);
Kernel2d difference_of_gaussians2d(double sigma_1, double sigma_2, int radius);

}  // namespace blurfield
