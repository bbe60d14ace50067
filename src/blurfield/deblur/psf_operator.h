// SPDX-License-Identifier: BSD-3-Clause
// Convolution with one point-spread function: out(q) = sum_i psf(i) x(q - (i - centre)).
#pragma once

#include <memory>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield {

// `psf` (H, W), centre (H / 2, W / 2), is normalised as normalised_psf does. Throws Error for one
// larger than the frame.
template <class T>
std::unique_ptr<BlurOperator<T>> psf_operator(const Shape& frame, const View<const double>& psf,
                                              const Border& border = {});

}  // namespace blurfield
