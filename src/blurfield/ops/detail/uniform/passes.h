// SPDX-License-Identifier: BSD-3-Clause
// Bands applied to the columns and to the rows of images (N, C, H, W) packed along x. Results do
// not depend on the number of threads.
#pragma once

#include <span>

#include "blurfield/base/parallel.h"
#include "blurfield/ops/detail/uniform/band.h"

namespace blurfield::detail {

// Bytes that a thread of these takes, about: more where a band reaches over very many columns.
inline constexpr std::size_t kFilterRoom = std::size_t{3} << 19;

// Columns: out(N, C, band.rows(), W) = band x, or += if `add`; `beyond` stands above and below x
// (N, C, band.columns(), W). Other than x.
template <class T>
void filter_columns(const UniformBand<T>& band, const View<const T>& x, double beyond, bool add,
                    const View<T>& out, const Execution& execution);

// Rows: out = bands[1] bands[0] x, of one band or two; `beyond` stands left and right of x. Returns
// whether all of out is finite.
template <class T>
bool filter_rows(std::span<const UniformBand<T>> bands, const View<const T>& x, double beyond,
                 bool add, const View<T>& out, const Execution& execution);

}  // namespace blurfield::detail
