// SPDX-License-Identifier: BSD-3-Clause
// Point-spread functions as images (H, W): what a point of light at the centre pixel (H / 2, W / 2)
// becomes. All sum to 1, have odd sizes and integrate over the area of each pixel, but for the
// Gaussian, which is sampled (G1) as everywhere.
#pragma once

#include <optional>
#include <string_view>

#include "blurfield/base/image.h"

namespace blurfield {

// Sampled Gaussian of radius floor(truncate sigma + 1/2), at least 1.
Image<double> gaussian_psf(double sigma, double truncate = 4.0);
// A uniform disk: defocus by a round aperture. `radius` in pixels, > 0.
Image<double> disk_psf(double radius);
// A straight path of `length` pixels >= 0 through the centre, at `angle` degrees from the x axis
// towards the top of the picture (counter-clockwise as seen): each pixel has its part of the path.
Image<double> motion_psf(double length, double angle);
// I(r) = (1 + (r / alpha)^2)^-beta, alpha = fwhm / (2 sqrt(2^(1/beta) - 1)): seeing (Moffat 1969).
// beta > 1. Cut where the rest holds 1e-3 of the light, or at 64 fwhm.
Image<double> moffat_psf(double fwhm, double beta);

// "gauss:S", "disk:R", "motion:L@DEG", "moffat:FWHM,BETA". Empty for a text of another beginning
// (a file's name); throws Error naming the text where the numbers are wrong.
std::optional<Image<double>> parse_psf(std::string_view text);

// A copy with odd sizes (zeros added at the bottom and right, so that H / 2, W / 2 stays the
// centre) that sums to 1. Throws Error for values that are not finite and for a sum that is not
// positive.
Image<double> normalised_psf(const View<const double>& psf);

}  // namespace blurfield
