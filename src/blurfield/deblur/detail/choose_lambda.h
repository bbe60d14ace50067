// SPDX-License-Identifier: BSD-3-Clause
// The rules that choose the prior's weight lambda, from what a solution at a lambda tells.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "blurfield/deblur/deblur.h"

namespace blurfield::detail {

// At the solution x for a lambda.
struct Balance {
  double deviance = 0.0;  // twice the fidelity: about `counted` less `freedom` for pure noise
  double prior = 0.0;     // degree p times P(x), P homogeneous of degree p (Huber's: nearly)
  double freedom = 0.0;
  double counted = 0.0;  // pixels
};

// Improves the scene at hand for this lambda and tells where it stands; nothing ends the search.
using SolveAt = std::function<std::optional<Balance>(double lambda)>;

struct LambdaChoice {
  double lambda = 0.0;
  Balance balance;  // where it was last evaluated
  std::string why;  // what goes on after "lambda 1.23"
};

// Begins at `start` > 0 and goes no higher than `most`, beyond which nothing of a pixel would be
// left above its noise. Solves some 4 (automatic) to 15 times, each from the scene that the last
// one left.
LambdaChoice choose_lambda(LambdaRule rule, double start, double most, const SolveAt& solve);

}  // namespace blurfield::detail
