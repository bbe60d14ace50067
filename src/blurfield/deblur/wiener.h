// SPDX-License-Identifier: BSD-3-Clause
// Deblurring in closed form by Fourier transforms, for one point-spread function everywhere:
//   X = conj(P) Y / (|P|^2 + Q)
//   wiener    Q = noise^2 / S, S = c / |f|^2 the power that photographs have on average, with the c
//             of each image that what its spectrum shows above the noise makes most likely
//   tikhonov  Q = lambda noise^2 (identity), or lambda noise^2 |D|^2 (gradient): the minimiser of
//             |A x - y|^2 / (2 noise^2) + lambda prior(x), differences taken periodically
// A transform sees the image as periodic. Under Mode::wrap it is. Otherwise the frame goes on
// beyond its border by at least twice the PSF's radius, by the border's mode (by nearest for
// extend), faded into its opposite side. Holds 5 channels of that size beside the result.
#pragma once

#include <optional>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield {

struct WienerOptions {
  bool gradient = true;  // tikhonov: of the gradient, else of the identity
  // Tikhonov's; empty: the one of least generalised cross-validation (Golub, Heath, Wahba 1979).
  std::optional<double> lambda;
  int threads = 0;
};

template <class T>
struct WienerResult {
  Image<T> image;       // the frame's shape
  double lambda = 0.0;  // of tikhonov
};

// `noise` > 0 is the noise's standard deviation. Throw Error unless blur.psf() holds one and the
// image is finite and of the frame's shape.
template <class T>
WienerResult<T> wiener(const BlurOperator<T>& blur, const View<const T>& y, double noise,
                       const WienerOptions& options = {});
template <class T>
WienerResult<T> tikhonov(const BlurOperator<T>& blur, const View<const T>& y, double noise,
                         const WienerOptions& options = {});

}  // namespace blurfield
