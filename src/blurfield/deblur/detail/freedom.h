// SPDX-License-Identifier: BSD-3-Clause
// Degrees of freedom that an estimate x takes from the frame: the trace of the matrix that turns
// the frame into A x, tr(A (A^T W A + lambda H)^-1 A^T W) with W and H the Hessians of fidelity and
// prior at x. By one probe of random signs (Hutchinson 1990) and conjugate gradients, so from below
// and with a spread of a few parts in sqrt(freedom).
#pragma once

#include "blurfield/deblur/blur_operator.h"
#include "blurfield/deblur/fidelity.h"
#include "blurfield/optim/minimise.h"

namespace blurfield::detail {

// At most `products` steps: 30 miss a per cent or two, more where lambda is far too small. `held`
// tells scene pixels that a bound holds; they take no freedom.
template <class T>
double degrees_of_freedom(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
                          const Objective<T>& objective, std::span<const T> x,
                          const std::function<bool(T)>& held, int products, int threads);

}  // namespace blurfield::detail
