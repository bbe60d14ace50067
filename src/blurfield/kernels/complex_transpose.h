// SPDX-License-Identifier: BSD-3-Clause
// Transposes a block of complex numbers.
#pragma once

#include <complex>

#include "blurfield/base/view.h"

namespace blurfield::kernels {

// to(x, y) = from(y, x) for y = 0..rows-1, x = 0..columns-1. Pitches are numbers between rows.
template <class T>
void transpose(const std::complex<T>* from, Index from_pitch, Index rows, Index columns,
               std::complex<T>* to, Index to_pitch);

}  // namespace blurfield::kernels
