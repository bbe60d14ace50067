// SPDX-License-Identifier: BSD-3-Clause
// Preconditioned conjugate gradients (Hestenes and Stiefel 1952) for A x = b, where the symmetric
// positive definite A is known by its products only. A semi-definite A is fine if b is in its
// range; x then keeps its start's part in the null space.
#pragma once

#include <functional>
#include <limits>
#include <span>

namespace blurfield {

// product = A v
template <class T>
using LinearOperator = std::function<void(std::span<const T> v, std::span<T> product)>;

struct ConjugateGradientOptions {
  int max_iterations = 1000;
  // Stops where |b - A x| <= tolerance |b|, in the preconditioner's norm sqrt(r . M r).
  double tolerance = 1e-8;
  // Stops after n iterations of which the last lowers x . A x / 2 - b . x by no more than this / n.
  double least_gain = 0.0;
  int threads = 0;  // upper limit for vector work, 0 = all cores
};

enum class ConjugateGradientStop {
  converged,   // by tolerance or least_gain
  iterations,  // max_iterations
  indefinite,  // met v . A v <= 0: x is the solution in the directions before it
};

struct ConjugateGradientResult {
  ConjugateGradientStop stop = ConjugateGradientStop::iterations;
  int iterations = 0;
  double residual = 0.0;  // |b - A x| / |b|, in the preconditioner's norm
};

// Moves x from its start to the solution. `precondition`, symmetric and positive definite, gives
// M v ~ A^-1 v; none: v. Throws Error for sizes that do not match, options out of range, and
// products that are not finite. A Cancelled thrown by an operator passes through.
template <class T>
ConjugateGradientResult conjugate_gradient(const LinearOperator<T>& multiply, std::span<const T> b,
                                           std::span<T> x,
                                           const ConjugateGradientOptions& options = {},
                                           const LinearOperator<T>& precondition = {});

}  // namespace blurfield
