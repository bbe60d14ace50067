// SPDX-License-Identifier: BSD-3-Clause
// Mix of K uniform isotropic blurs, the interpolated stack in its simplest form (B3 for any K), of
// images (N, C, H, W) and signals (N, C, L):
//   out(p) = sum_k c_k(ln sigma(p)) blur(x, sigmas[k])(p),
// c_k the Lagrange polynomials through ln sigmas[k]. `sigma` is a field (N | 1, 1, H, W), in
// pixels, within the range that the sigmas were chosen for: beyond it polynomials run away. Two
// levels are document 001's mix with a weight that follows sigma; adaptive_blur with a tolerance
// does the same tile by tile, for less. Cost: K uniform blurs, and memory for one blurred image and
// the field's logarithms in double.
#pragma once

#include <span>
#include <vector>

#include "blurfield/base/image.h"
#include "blurfield/ops/blur_options.h"

namespace blurfield {

// The fewest levels, at least two, for which mixing a field within sigma_min..sigma_max, two
// different widths in pixels, stays within `tolerance`: the bound of BlurOptions::tolerance, for
// untruncated blurs (with a tolerance of their own, three times that comes on top). They are
// Chebyshev nodes in ln sigma, ascending, inside the range.
std::vector<double> mix_level_sigmas(double sigma_min, double sigma_max, double tolerance);
// That many levels, and a bound on their error.
std::vector<double> mix_level_sigmas(double sigma_min, double sigma_max, int count);
double mix_level_error(double sigma_min, double sigma_max, int count);

// Throws Error for fewer than two sigmas, sigmas that do not ascend, a field that is not finite or
// not > 0, and as uniform_blur does. options.tolerance is that of each uniform blur.
template <class T>
void mix_levels(const View<const T>& x, std::span<const double> sigmas, const View<const T>& sigma,
                const View<T>& out, const BlurOptions& options = {});

// Gradients of <cotangent, mix_levels(...)> by x and by the field; an empty view is not computed.
template <class T>
void mix_levels_vjp(const View<const T>& x, std::span<const double> sigmas,
                    const View<const T>& sigma, const View<const T>& cotangent,
                    const View<T>& grad_x, const View<T>& grad_sigma,
                    const BlurOptions& options = {});

// The derivative along (x_dot, sigma_dot); an empty view counts as zero.
template <class T>
void mix_levels_jvp(const View<const T>& x, std::span<const double> sigmas,
                    const View<const T>& sigma, const View<const T>& x_dot,
                    const View<const T>& sigma_dot, const View<T>& out_dot,
                    const BlurOptions& options = {});

}  // namespace blurfield
