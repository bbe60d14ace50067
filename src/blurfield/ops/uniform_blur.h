// SPDX-License-Identifier: BSD-3-Clause
// Uniform Gaussian blur: the same kernel at every pixel of signals (N, C, L) and images
// (N, C, H, W), by `options.extension` beyond the border. Cost per pixel: 2 (ry + rx + 1) taps for
// isotropic and diagonal Gaussians; for a full covariance the cheaper of a sum of separable terms
// and the direct (2 ry + 1)(2 rx + 1) taps. A radius may exceed the image. With `options.tolerance`
// the cost does not grow with sigma: an image is thinned out to samples as wide apart as sigma
// allows and read back from them, which takes memory for at most about one more image. Derivatives
// are those of what uniform_blur computes, the samples held fixed.
//
// `gaussian` holds, in pixels: {sigma}; one sigma per axis, {sigma_y, sigma_x}, where 0 leaves an
// axis alone; or log-Cholesky parameters {a, b, c} (G4, images only).
//
// All functions throw Error for a parameter that is not finite or negative, an image with
// non-finite pixels, or shapes that do not match. Outputs must not overlap inputs.
#pragma once

#include <span>

#include "blurfield/base/image.h"
#include "blurfield/ops/blur_options.h"
#include "blurfield/ops/blur_report.h"

namespace blurfield {

// out = blur(x).
template <class T>
BlurReport uniform_blur(const View<const T>& x, std::span<const double> gaussian,
                        const View<T>& out, const BlurOptions& options = {});

template <class T>
Image<T> uniform_blur(const Image<T>& x, std::span<const double> gaussian,
                      const BlurOptions& options = {}) {
  Image<T> out(x.shape());
  uniform_blur<T>(x, gaussian, out, options);
  return out;
}

// Gradients of <cotangent, blur(x)> by x and by the Gaussian's parameters (as many as `gaussian`
// has). An empty view or span is not computed. With cval != 0, grad_x is that of the linear part.
template <class T>
void uniform_blur_vjp(const View<const T>& x, std::span<const double> gaussian,
                      const View<const T>& cotangent, const View<T>& grad_x,
                      std::span<double> grad_gaussian, const BlurOptions& options = {});

// out_dot = the derivative of blur(x) along (x_dot, gaussian_dot); an empty one counts as zero.
template <class T>
void uniform_blur_jvp(const View<const T>& x, std::span<const double> gaussian,
                      const View<const T>& x_dot, std::span<const double> gaussian_dot,
                      const View<T>& out_dot, const BlurOptions& options = {});

// What uniform_blur would do to an array of T of this shape.
template <class T>
BlurReport uniform_blur_plan(const Shape& shape, std::span<const double> gaussian,
                             const BlurOptions& options = {});

// Multiply-adds that an exact uniform_blur spends on an array of this shape.
double uniform_blur_taps(const Shape& shape, std::span<const double> gaussian,
                         const BlurOptions& options = {});

}  // namespace blurfield
