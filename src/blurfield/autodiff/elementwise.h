// SPDX-License-Identifier: BSD-3-Clause
// Functions of each element of a Var of any shape (arithmetic is in var.h), differentiable any
// number of times. Nothing overflows on the way to a finite result. At a kink the derivative is the
// one named below, so that it is finite.
#pragma once

#include "blurfield/autodiff/var.h"
#include "blurfield/ops/soft_maximum.h"

namespace blurfield {

template <class T>
Var<T> exp(Var<T> a);
template <class T>
Var<T> log(Var<T> a);
// The derivative at 0 is taken as 0, as that of norm: sqrt(sum(square(d))) of a flat d has one.
template <class T>
Var<T> sqrt(Var<T> a);
template <class T>
Var<T> square(Var<T> a);
// a^exponent, a constant real exponent; a < 0 needs an integer. The derivative of a^0 is 0.
template <class T>
Var<T> pow(Var<T> a, double exponent);
// The derivative at 0 is 0.
template <class T>
Var<T> abs(Var<T> a);
template <class T>
Var<T> tanh(Var<T> a);
template <class T>
Var<T> sigmoid(Var<T> a);  // 1 / (1 + e^-a)
template <class T>
Var<T> softplus(Var<T> a);  // log(1 + e^a)
// (G7) log(e^sigma_min + e^(a + shift)): a sigma > sigma_min for any real a.
template <class T>
Var<T> soft_maximum(Var<T> a, const SoftMaximum& options = {});
// min(max(a, low), high); the derivative is 1 from low to high, both included, 0 beyond. Throws
// Error unless low <= high.
template <class T>
Var<T> clamp(Var<T> a, double low, double high);

}  // namespace blurfield
