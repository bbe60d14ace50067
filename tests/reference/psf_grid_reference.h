// SPDX-License-Identifier: BSD-3-Clause
// Product-convolution by its definition (deblur/psf_grid.h), pixel by pixel.
#pragma once

#include "blurfield/deblur/psf_grid.h"

namespace blurfield::test {

// `scene` as the operator takes it; `psfs` (ny, nx, H, W) of odd sizes, each of sum 1.
Image<double> psf_grid_reference(const Image<double>& scene, const Shape& frame,
                                 const Image<double>& psfs, GridOrder order, const Border& border);

// The weight of cell `cell` of `cells` along an axis of n pixels, at position p of the plane.
double raised_cosine(Index cell, Index cells, Index p, Index n);

}  // namespace blurfield::test
