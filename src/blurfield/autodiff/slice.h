// SPDX-License-Identifier: BSD-3-Clause
// Parts of arrays, their differences, and the adjoints of both.
#pragma once

#include "blurfield/autodiff/var.h"

namespace blurfield {

// The elements begin[axis] <= i < end[axis] of each axis, without a copy. Throws Error unless there
// are as many bounds as axes and 0 <= begin < end <= extent.
template <class T>
Var<T> slice(const Var<T>& a, const Shape& begin, const Shape& end);
// a as part of an array of this shape, from `begin` on, the rest being 0: the adjoint of slice.
template <class T>
Var<T> embed(const Var<T>& a, const Shape& begin, const Shape& shape);

// a(i + 1) - a(i) along an axis, one element fewer there: nothing wraps around. Throws Error where
// the axis is not one of a's or shorter than 2. A negative axis counts from the last one, -1.
template <class T>
Var<T> difference(const Var<T>& a, int axis);
// The adjoint: a(i - 1) - a(i), a being 0 beyond its ends; one element more.
template <class T>
Var<T> difference_adjoint(const Var<T>& a, int axis);

// Of neighbouring rows, (.., H, W) to (.., H - 1, W), and columns, to (.., H, W - 1).
template <class T>
Var<T> difference_y(const Var<T>& a) {
  return difference(a, -2);
}
template <class T>
Var<T> difference_x(const Var<T>& a) {
  return difference(a, -1);
}

// The elements in their order under another shape of as many.
template <class T>
Var<T> reshape(const Var<T>& a, const Shape& shape);

}  // namespace blurfield
