// SPDX-License-Identifier: BSD-3-Clause
// Conversions between sigma, log-Cholesky parameters and covariance (G4), both ways, with their
// Jacobians, in double and per pixel on fields. cov = (yy, yx, xx), logchol = (a, b, c).
#pragma once

#include <array>

#include "blurfield/base/view.h"

namespace blurfield {

using Cov = std::array<double, 3>;      // Sigma_yy, Sigma_yx, Sigma_xx, in pixels^2
using Logchol = std::array<double, 3>;  // a, b, c of U = [[e^a, b], [0, e^c]], Sigma = U^T U
using Jacobian3 = std::array<std::array<double, 3>, 3>;  // [output][input]

Cov logchol_to_cov(const Logchol& logchol);
Jacobian3 logchol_to_cov_jacobian(const Logchol& logchol);

// Throws Error if cov is not positive definite.
Logchol cov_to_logchol(const Cov& cov);
Jacobian3 cov_to_logchol_jacobian(const Cov& cov);

// (sigma_y, sigma_x) > 0 to (ln sigma_y, 0, ln sigma_x); da/dsigma_y = 1/sigma_y, and so on.
Logchol sigma_to_logchol(double sigma_y, double sigma_x);
std::array<double, 2> sigma_to_logchol_derivative(double sigma_y, double sigma_x);

// The marginal widths (sqrt Sigma_yy, sqrt Sigma_xx), with the Jacobian [2][3].
std::array<double, 2> logchol_to_sigma(const Logchol& logchol);
std::array<std::array<double, 3>, 2> logchol_to_sigma_jacobian(const Logchol& logchol);

// The same on fields (N, 3, H, W); vjp: gradient by the input from a cotangent of the output;
// jvp: derivative of the output along `dot`. Throws Error naming the first offending pixel.
template <class T>
void logchol_to_cov(const View<const T>& logchol, const View<T>& cov);
template <class T>
void logchol_to_cov_vjp(const View<const T>& logchol, const View<const T>& cotangent,
                        const View<T>& grad);
template <class T>
void logchol_to_cov_jvp(const View<const T>& logchol, const View<const T>& dot,
                        const View<T>& cov_dot);
template <class T>
void cov_to_logchol(const View<const T>& cov, const View<T>& logchol);
template <class T>
void cov_to_logchol_vjp(const View<const T>& cov, const View<const T>& cotangent,
                        const View<T>& grad);
template <class T>
void cov_to_logchol_jvp(const View<const T>& cov, const View<const T>& dot,
                        const View<T>& logchol_dot);

}  // namespace blurfield
