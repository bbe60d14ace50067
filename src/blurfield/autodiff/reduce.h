// SPDX-License-Identifier: BSD-3-Clause
// Sums over arrays, and the repetition that is their adjoint. Sums run in double in an order of
// their own: results do not depend on the number of threads.
#pragma once

#include "blurfield/autodiff/var.h"

namespace blurfield {

// Of all elements, shaped {1}.
template <class T>
Var<T> sum(const Var<T>& a);
template <class T>
Var<T> mean(const Var<T>& a);
// sum(a * b) of equal shapes, shaped {1}.
template <class T>
Var<T> dot(const Var<T>& a, const Var<T>& b);
// The 2-norm sqrt(sum(a^2)), shaped {1}, safe from overflow and underflow; its derivative at 0 is
// taken as 0.
template <class T>
Var<T> norm(const Var<T>& a);

// Sums over the axes along which `shape` would be repeated to give a's: the adjoint of repeat.
template <class T>
Var<T> sum_to(const Var<T>& a, const Shape& shape);
// a as an array of this shape, repeated along the axes where its extent is 1 or that it lacks;
// without a copy. Throws Error where shapes do not fit.
template <class T>
Var<T> repeat(const Var<T>& a, const Shape& shape);

}  // namespace blurfield
