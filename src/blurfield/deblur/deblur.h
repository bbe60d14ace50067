// SPDX-License-Identifier: BSD-3-Clause
// Gives back the sharp scene x when its blur A is known: y = A x + noise. Minimises
//   fidelity(A x; y) + lambda prior(x),  lower <= x <= upper
// by the method named; where it is left open, noise, lambda and the prior's scale are chosen from
// the image, and the result tells what was chosen and why.
//
// Memory beyond the frame y, in images of the scene's size and element type: wiener and tikhonov 7,
// richardson_lucy 8, fista 10, primal_dual and lbfgs 12, newton_cg 13; 1 less without weights.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blurfield/deblur/blur_operator.h"
#include "blurfield/deblur/fidelity.h"
#include "blurfield/deblur/prior.h"
#include "blurfield/optim/minimise.h"

namespace blurfield {

enum class DeblurMethod {
  automatic,        // lbfgs
  wiener,           // closed form, uniform blurs only
  tikhonov,         // closed form, uniform blurs only
  richardson_lucy,  // multiplicative, for counts; its early stop is the only regularisation but TV
  primal_dual,      // exact TV or Hessian-Schatten, any constraint
  fista,            // smooth priors, certified steps
  lbfgs,            // smooth or smoothed priors, the fastest of the first order
  newton_cg,        // the same by exact Hessian products, no constraint
};

std::string_view deblur_method_name(DeblurMethod method);  // "auto", "rl", "tv", "newton-cg", ...
std::optional<DeblurMethod> parse_deblur_method(std::string_view name);

// What `lambda` is chosen by where it is not given.
enum class LambdaRule {
  automatic,    // the best tested for the method
  discrepancy,  // the residual is as large as the noise (Morozov 1966), degrees of freedom deducted
  gcv,          // generalised cross-validation
  sure,         // Stein's unbiased risk estimate, Monte-Carlo (Ramani, Blu, Unser 2008)
};

std::string_view lambda_rule_name(LambdaRule rule);
std::optional<LambdaRule> parse_lambda_rule(std::string_view name);

template <class T>
struct DeblurStep {
  int iteration = 0;      // counts over all rounds of the search for lambda
  double value = 0.0;     // of what is minimised
  double lambda = 0.0;    // in this iteration
  double residual = 0.0;  // sqrt(chi^2 / counted pixels): 1 where as large as the noise
  double change = 0.0;    // |x - x before| / |x|
  double seconds = 0.0;   // since the start
  View<const T> image;    // the visible part of x
};

struct DeblurSettings {
  DeblurMethod method = DeblurMethod::automatic;
  FidelityOptions fidelity;  // its noise is `noise`; a gain of 0 is found from that
  PriorOptions prior;
  std::optional<double> prior_scale;  // empty: from the noise
  std::optional<double> lambda;
  LambdaRule rule = LambdaRule::automatic;
  // Standard deviation of y's noise; empty: noise_level(y), but no less than `least_noise`, say
  // that of rounding to integers.
  std::optional<double> noise;
  double least_noise = 0.0;
  std::optional<double> lower;  // 0 for poisson where left empty, but for newton_cg
  std::optional<double> upper;
  bool accelerate = true;  // richardson_lucy

  int max_iterations = 0;  // per solve; 0: the method's own
  double tolerance = 0.0;  // relative change of x that ends a solve; 0: the method's own
  double max_seconds = std::numeric_limits<double>::infinity();
  int threads = 0;
};

template <class T>
struct DeblurOptions : DeblurSettings {
  // Returning false stops the work, which then gives the scene as it is: the best so far but for
  // primal_dual, fista and accelerated richardson_lucy, whose value may rise on the way.
  std::function<bool(const DeblurStep<T>&)> callback;
};

template <class T>
struct Deblurred {
  Image<T> image;                             // the visible part of the scene
  DeblurMethod method = DeblurMethod::lbfgs;  // never automatic
  double noise = 0.0;
  double lambda = 0.0;
  double prior_scale = 0.0;
  double residual = 0.0;  // as DeblurStep's, at the end; 0 for closed forms
  double freedom = 0.0;   // degrees of freedom that the scene took; 0 where not estimated
  std::vector<std::string> warnings;  // what may be wrong with the image, the blur or the noise
  std::vector<std::string> why;       // what was chosen and why, a sentence each
  MinimiseResult result;
  std::vector<DeblurStep<T>> trace;  // without images
};

// `weight` (N | 1, 1 | C, H, W) >= 0 weighs pixels of y: 0 leaves a bad or saturated one out. y may
// hold anything there. `start` is a scene to begin with. Throws Error for options out of range or
// that contradict each other, shapes that do not match, and pixels that are not finite.
template <class T>
Deblurred<T> deblur(const BlurOperator<T>& blur, const View<const T>& y,
                    const DeblurOptions<T>& options = {}, const View<const T>& weight = {},
                    const View<const T>& start = {});

}  // namespace blurfield
