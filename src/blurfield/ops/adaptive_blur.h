// SPDX-License-Identifier: BSD-3-Clause
// Adaptive Gaussian blur: a Gaussian of its own for every pixel of images (N, C, H, W) and
// signals (N, C, L), by `options.extension` beyond the border. The field's channels tell its kind:
//   1  sigma                 isotropic
//   2  sigma_y, sigma_x      diagonal (images only)
//   3  a, b, c               log-Cholesky (G4), full covariance (images only)
// in pixels, shaped (N, 1 | 2 | 3, H, W) or with a batch of 1 that serves the whole batch; all
// channels of an image share its field. Kernels are never stored per pixel. Exact (tolerance 0),
// every pixel pays for its own radius: about (2 ry + 1)(2 rx + 1) multiply-adds per channel. With
// `options.tolerance` the cost does not grow with sigma; derivatives are then those of what
// adaptive_blur computes, the choice of methods, levels and nodes held fixed.
//
// gather (B1):  out(p) = sum_d w_p(d) x(p + d), the kernel belongs to the output pixel;
// scatter (B2): out(q) = sum_p w_p(q - p) x(p), the kernel belongs to the source pixel. Image and
// field are both extended; where Mode::constant has no field pixel, the nearest one stands.
//
// A scatter of covariances under mirror or nearest also visits every pixel within a radius around
// the frame. All functions throw Error for a field or image that is not finite, pixels above 1e30
// (float) or 1e290 (double), sigma <= 0, or shapes that do not match. Outputs must not overlap
// inputs. Results do not depend on the number of threads.
#pragma once

#include "blurfield/base/image.h"
#include "blurfield/ops/blur_options.h"
#include "blurfield/ops/blur_report.h"

namespace blurfield {

struct AdaptiveBlurOptions : BlurOptions {
  bool scatter = false;  // false: gather (B1); true: scatter (B2)
};

// out = blur(x; field).
template <class T>
BlurReport adaptive_blur(const View<const T>& x, const View<const T>& field, const View<T>& out,
                         const AdaptiveBlurOptions& options = {});

template <class T>
Image<T> adaptive_blur(const Image<T>& x, const Image<T>& field,
                       const AdaptiveBlurOptions& options = {}) {
  Image<T> out(x.shape());
  adaptive_blur<T>(x, field, out, options);
  return out;
}

// Gradients of <cotangent, blur(x; field)> by x and by the field (of the field's own shape: one of
// batch 1 sums over the batch). An empty view is not computed. Radii are held fixed (G2). With
// cval != 0, grad_x is that of the linear part; grad_field is exact.
template <class T>
void adaptive_blur_vjp(const View<const T>& x, const View<const T>& field,
                       const View<const T>& cotangent, const View<T>& grad_x,
                       const View<T>& grad_field, const AdaptiveBlurOptions& options = {});

// out_dot = the derivative of blur(x; field) along (x_dot, field_dot); an empty one counts as zero.
template <class T>
void adaptive_blur_jvp(const View<const T>& x, const View<const T>& field,
                       const View<const T>& x_dot, const View<const T>& field_dot,
                       const View<T>& out_dot, const AdaptiveBlurOptions& options = {});

// What adaptive_blur would do to an image of this shape.
template <class T>
BlurReport adaptive_blur_plan(const Shape& shape, const View<const T>& field,
                              const AdaptiveBlurOptions& options = {});

// Multiply-adds that an exact adaptive_blur spends on an image of this shape.
template <class T>
double adaptive_blur_taps(const Shape& shape, const View<const T>& field,
                          const AdaptiveBlurOptions& options = {});

}  // namespace blurfield
