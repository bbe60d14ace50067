// SPDX-License-Identifier: BSD-3-Clause
// One row of the adaptive blur by its definition, in double, of Gaussians that never end.
#pragma once

#include "blurfield/base/extension.h"
#include "blurfield/base/image.h"

namespace blurfield::test {

// What the Gaussian of pixel (y, x) of `field`, (1, 1 | 2 | 3, H, W) or (1, 1, L), does to every
// pixel of the frame, extension folded: its weight in output (y, x) under gather (B1), what it gets
// of source (y, x) under scatter (B2).
Image<double> gaussian_row(const View<const double>& field, Index y, Index x, Mode mode,
                           bool scatter);

// Its derivative by the field's channel k there.
Image<double> gaussian_row_derivative(const View<const double>& field, Index y, Index x, Mode mode,
                                      bool scatter, Index k);

}  // namespace blurfield::test
