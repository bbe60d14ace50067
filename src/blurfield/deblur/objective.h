// SPDX-License-Identifier: BSD-3-Clause
// fidelity(A x) + lambda prior(x) by hand-written derivatives, exact Hessian products included, as
// what the optimisers take.
#pragma once

#include "blurfield/deblur/blur_operator.h"
#include "blurfield/deblur/fidelity.h"
#include "blurfield/deblur/prior.h"
#include "blurfield/optim/minimise.h"

namespace blurfield {

// The parts of a value, before lambda.
struct ObjectiveParts {
  double fidelity = 0.0;
  double prior = 0.0;
};

// x is a flat scene. Each evaluation fills `parts` unless that is null. All arguments must outlive
// the objective, which holds two frames of scratch and is for one caller at a time.
template <class T>
Objective<T> deblur_objective(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
                              const PriorTerm<T>& prior, double lambda, int threads = 0,
                              ObjectiveParts* parts = nullptr);

}  // namespace blurfield
