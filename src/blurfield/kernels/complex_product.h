// SPDX-License-Identifier: BSD-3-Clause
// Products of complex arrays, element by element: where correlations become products.
#pragma once

#include <complex>

#include "blurfield/base/view.h"

namespace blurfield::kernels {

// out(i) = sum over t = 0..terms-1 of a(t, i) b(t, i), i = 0..count-1. Term t of a starts at
// a + t a_step. `out` must not overlap the others.
template <class T>
void sum_products(const std::complex<T>* a, Index a_step, const std::complex<T>* b, Index b_step,
                  Index terms, Index count, std::complex<T>* out);

// out(i) += a(i) conj(b(i)), i = 0..count-1.
template <class T>
void add_conjugate_product(const std::complex<T>* a, const std::complex<T>* b, Index count,
                           std::complex<T>* out);

}  // namespace blurfield::kernels
