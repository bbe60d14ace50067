// SPDX-License-Identifier: BSD-3-Clause
// min fidelity(A x) + lambda prior(x), lower <= x <= upper, for the exact, unsmoothed priors tv and
// hessian, and for huber_tv and none: the primal-dual hybrid gradient method (Chambolle and Pock
// 2011), over-relaxed (Condat 2013). Steps are certified: tau (sigma_A |A|^2 + sigma_D |D|^2) <= 1
// by BlurOperator::norm_bound and |D|^2 <= 8 of first, 64 of second differences. At iterations 8,
// 16, ... 512 their ratio is set to what makes the moves of duals and scene alike, each measured by
// its step (after Goldstein, Li, Yuan 2015). From the frame, with a prior that suits the noise, the
// objective is within 1e-3 of the least after 100 to 300 iterations; under hessian within 1e-2.
#pragma once

#include <optional>

#include "blurfield/deblur/objective.h"

namespace blurfield {

// gradient_tolerance is not used, and an iterate's gradient_norm is 0; change_tolerance: stops
// where x and the fidelity's dual change by no more than it times their sizes, 0: never.
template <class T>
struct PrimalDualOptions : MinimiseOptions<T> {
  std::optional<double> lower;
  std::optional<double> upper;
  ObjectiveParts* parts = nullptr;  // each evaluation fills them, unless null
};

// Moves x, the scene, packed, from its start. Holds 2 scenes, 3 frames and the prior's dual: 2
// scenes for differences, 3 for hessian. Values are the objective with the exact prior; they may
// rise on the way. Throws Error for the fidelity norm and other priors than those (smooth: use
// lbfgs), options out of range and shapes that do not match.
template <class T>
MinimiseResult primal_dual(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
                           const PriorTerm<T>& prior, double lambda, const View<T>& x,
                           const PrimalDualOptions<T>& options = {});

}  // namespace blurfield
