// SPDX-License-Identifier: BSD-3-Clause
// A blur measured at the centres of a grid of cells over the frame: product-convolution (Nagy and
// O'Leary 1998; Denis et al. 2015). The weights w_k of the ny x nx point-spread functions h_k are
// products of raised cosines between neighbouring cells' centres, 1 beyond the outermost; they are
// smooth and sum to 1 at every pixel, where at most four count: a cost of about four convolutions
// for any grid, more where cells are smaller than the functions.
//   mask_first   A x = sum_k h_k * (w_k x)   the PSF belongs to the source: what a lens does
//   conv_first   A x = sum_k w_k (h_k * x)   the PSF belongs to the recorded pixel
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield {

enum class GridOrder { mask_first, conv_first };

std::string_view order_name(GridOrder order);
std::optional<GridOrder> parse_order(std::string_view name);

// `psfs` (ny, nx, H, W), each normalised as normalised_psf does. Throws Error, naming the cell, for
// one that cannot be; for one larger than the frame; for more cells than the frame has rows or
// columns.
template <class T>
std::unique_ptr<BlurOperator<T>> psf_grid_operator(const Shape& frame,
                                                   const View<const double>& psfs, GridOrder order,
                                                   const Border& border = {});

}  // namespace blurfield
