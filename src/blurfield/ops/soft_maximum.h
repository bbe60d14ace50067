// SPDX-License-Identifier: BSD-3-Clause
// (G7) sigma(s) = log(exp(sigma_min) + exp(s + shift)): any real s gives a sigma > sigma_min,
// without overflow for any finite s.
#pragma once

namespace blurfield {

struct SoftMaximum {
  double sigma_min = 0.3;  // pixels
  double shift = -3.0;
};

double soft_maximum(double s, const SoftMaximum& options = {});
// d sigma / d s, within 0..1.
double soft_maximum_derivative(double s, const SoftMaximum& options = {});
// The s whose sigma this is; throws Error unless sigma > sigma_min.
double soft_maximum_inverse(double sigma, const SoftMaximum& options = {});

}  // namespace blurfield
