// SPDX-License-Identifier: BSD-3-Clause
// Conjugate gradients with scratch for many solves of one size.
#pragma once

#include "blurfield/optim/conjugate_gradient.h"
#include "blurfield/optim/detail/vector_work.h"

namespace blurfield::detail {

template <class T>
class CgSolver {
 public:
  CgSolver(std::size_t size, int threads, bool preconditioned);

  // As conjugate_gradient(), from x = 0 or from the given x. `name` starts the messages of errors.
  ConjugateGradientResult solve(const char* name, const LinearOperator<T>& multiply,
                                std::span<const T> b, std::span<T> x, bool from_zero,
                                const ConjugateGradientOptions& options,
                                const LinearOperator<T>& precondition);

 private:
  // z = M r; returns r . z.
  double apply(const char* name, const LinearOperator<T>& precondition);
  std::size_t size_;
  int threads_;
  Scratch<T> scratch_;
  std::span<T> residual_;
  std::span<T> direction_;
  std::span<T> product_;
  std::span<T> preconditioned_;  // the residual itself where there is no preconditioner
};

}  // namespace blurfield::detail
