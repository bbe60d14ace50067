// SPDX-License-Identifier: BSD-3-Clause
// Convolution with a point-spread function of any size.
#pragma once

#include <memory>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield::detail {

// `psf` (H, W) of odd sizes, as normalised_psf gives it.
template <class T>
std::unique_ptr<BlurOperator<T>> convolution_operator(const Shape& frame, Image<double> psf,
                                                      const Border& border);

}  // namespace blurfield::detail
