// SPDX-License-Identifier: BSD-3-Clause
// Document 004's problem: a small grey photograph under a Gaussian blur wider than high, zero
// beyond the border. Arrays are double, images (1, 1, H, W).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "blurfield/io/picture.h"
#include "blurfield/ops/correlate.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::examples {

// Luma of a colour photograph, 0..1, by the weights of Rec. 709 as scikit-image rounds them.
inline Image<double> grey_photograph(const std::string& path) {
  const auto picture = io::load_picture<double>(path).pixels;
  require(picture.shape()[1] == 3, "grey_photograph", path, ": expected 3 channels, got ",
          picture.shape()[1]);
  Image<double> grey({1, 1, picture.shape()[2], picture.shape()[3]});
  const Index count = grey.elements();
  const double* red = picture.data();
  for (Index i = 0; i < count; ++i) {
    grey.data()[i] = 0.2125 * red[i] + 0.7154 * red[i + count] + 0.0721 * red[i + 2 * count];
  }
  return grey;
}

// A third of a square image, as scikit-image's rescale(x, 1 / 3, mode="constant") makes it: a
// Gaussian against aliasing, zero beyond the border, then lines between its pixels.
inline Image<double> a_third(const Image<double>& x) {
  const Index from = x.shape()[3];
  const auto side = static_cast<Index>(std::lround(static_cast<double>(from) / 3));
  const double step = static_cast<double>(from) / static_cast<double>(side);
  const double sigma = (step - 1) / 2;
  BlurOptions options;
  options.extension.mode = Mode::constant;
  const Image<double> smooth = uniform_blur<double>(x, {&sigma, 1}, options);
  const auto place = [&](Index i) { return (static_cast<double>(i) + 0.5) * step - 0.5; };
  Image<double> small({1, 1, side, side});
  for (Index i = 0; i < small.elements(); ++i) {
    const double y = place(i / side);
    const double right = place(i % side);
    const double* at = smooth.data() + static_cast<Index>(y) * from + static_cast<Index>(right);
    const double fy = y - std::floor(y);
    const double fx = right - std::floor(right);
    small.data()[i] =
        (1 - fy) * ((1 - fx) * at[0] + fx * at[1]) + fy * ((1 - fx) * at[from] + fx * at[from + 1]);
  }
  return small;
}

// A point in the middle of 13 x 13 pixels, blurred with sigma 1 down and 3 across within them:
// what would leave is reflected. Not quite a Gaussian, therefore.
inline Image<double> document_psf() {
  constexpr Index kSide = 13;
  Image<double> point({1, 1, kSide, kSide});
  point.data()[point.elements() / 2] = 1.0;
  constexpr double kSigmas[] = {1.0, 3.0};
  const Image<double> spread = uniform_blur<double>(point, kSigmas);
  Image<double> psf({kSide, kSide});
  std::copy_n(spread.data(), psf.elements(), psf.data());
  return psf;
}

// Convolution of an image's own size with zeros beyond the border.
inline CorrelateOptions zeros_beyond() {
  CorrelateOptions options;
  options.extension.mode = Mode::constant;
  return options;
}

struct DeblurringProblem {
  Image<double> sharp;
  Image<double> psf;
  Image<double> blurred;

  explicit DeblurringProblem(Image<double> image)
      : sharp(std::move(image)),
        psf(document_psf()),
        blurred(convolve<double>(sharp, psf, zeros_beyond())) {}
};

// 20 log10 of 1 over the root of the mean squared difference, in dB.
inline double psnr(const View<const double>& a, const View<const double>& b) {
  const Image<double> p(a);
  const Image<double> q(b);
  double sum = 0.0;
  for (Index i = 0; i < p.elements(); ++i) sum += std::pow(p.data()[i] - q.data()[i], 2);
  return -10 * std::log10(sum / static_cast<double>(p.elements()));
}

}  // namespace blurfield::examples
