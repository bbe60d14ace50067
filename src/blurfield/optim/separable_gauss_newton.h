// SPDX-License-Identifier: BSD-3-Clause
// Gauss-Newton for f(x) = sum_p f_p(x_p), where each of many blocks p has a few parameters of its
// own: one damping per block, and each takes its step or refuses it alone, so that a few difficult
// ones do not hold up the rest. Within an iteration a block that refuses is offered a shorter step,
// and then steps along one of its parameters only: where it has fewer equations than parameters
// these lead past a jump of f_p that bars the shortest way.
#pragma once

#include "blurfield/optim/minimise.h"

namespace blurfield {

// Parameter k of block (f, p) is x[(f * parameters + k) * plane + p]: fields of pixels.
struct BlockLayout {
  Index fields = 0;
  Index parameters = 0;  // of a block
  Index plane = 0;       // blocks of a field

  Index blocks() const { return fields * plane; }
  std::size_t at(Index block, Index k) const {
    return static_cast<std::size_t>((block / plane * parameters + k) * plane + block % plane);
  }
};

template <class T>
struct SeparableCurvature {
  BlockLayout layout;
  // values[block] = f_p(x_p); infinity or NaN where there is none.
  std::function<void(std::span<const T> x, std::span<double> values)> evaluate;
  // Prepares `solve` for this x.
  std::function<void(std::span<const T> x)> linearise;
  // step_p = -(B_p + diag(damping) |B_p|)^-1 gradient_p, with a damping for every parameter; B_p is
  // the curvature and |B_p| its size, e.g. the mean of its diagonal.
  std::function<void(std::span<const T> damping, std::span<const T> gradient, std::span<T> step)>
      solve;
};

template <class T>
struct SeparableGaussNewtonOptions : MinimiseOptions<T> {
  Bounds<T> bounds;  // trial points are clamped
  double damping = 1e-3;
  double max_step = std::numeric_limits<double>::infinity();  // of any one parameter
};

template <class T>
MinimiseResult separable_gauss_newton(const Objective<T>& objective,
                                      const SeparableCurvature<T>& curvature, std::span<T> x,
                                      const SeparableGaussNewtonOptions<T>& options = {});

}  // namespace blurfield
