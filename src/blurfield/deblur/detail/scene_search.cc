// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/detail/scene_search.h"

#include <algorithm>
#include <cmath>

#include "blurfield/deblur/detail/freedom.h"
#include "blurfield/deblur/primal_dual.h"
#include "blurfield/optim/fista.h"
#include "blurfield/optim/lbfgs.h"
#include "blurfield/optim/newton_cg.h"

namespace blurfield::detail {
namespace {

// Pairs of L-BFGS: with them it holds 12 images, and more would hardly save iterations.
constexpr int kPairs = 2;

// The evidence of tv2, which is no norm of independent differences, as a part of that of a prior
// that is: found on photographs.
constexpr double kShareOfTv2 = 0.8;

struct Limits {
  int rough;
  int iterations;
  double tolerance;  // relative change of the value
};

Limits limits_of(DeblurMethod method) {
  switch (method) {
    case DeblurMethod::newton_cg:
      return {3, 50, 1e-6};
    case DeblurMethod::primal_dual:
      return {40, 400, 1e-4};
    case DeblurMethod::fista:
      return {40, 400, 1e-6};
    default:
      return {20, 200, 1e-6};
  }
}

template <class T>
std::span<const T> one(const std::optional<T>& bound) {
  if (!bound) return {};
  return {&*bound, 1};
}

template <class T>
double norm(std::span<const T> x) {
  double sum = 0.0;
  for (T v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

}  // namespace

template <class T>
SceneSearch<T>::SceneSearch(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
                            const DeblurOptions<T>& options, Image<T> start)
    : blur_(blur), fidelity_(fidelity), options_(options), scene_(std::move(start)) {
  if (options.lower) lower_ = static_cast<T>(*options.lower);
  if (options.upper) upper_ = static_cast<T>(*options.upper);
  if (options.method == DeblurMethod::fista) norm_ = blur.norm_bound({options.threads, {}});
}

template <class T>
double SceneSearch<T>::first_lambda() const {
  // From the start's slopes without the noise's 4 s^2; they are a few times too flat at most.
  const PriorOptions slopes{Prior::gradient, 1.0, true};
  const double squares = 2 * PriorTerm<T>(blur_.scene(), slopes, options_.threads).value(scene_);
  const double noise = *options_.noise;
  const double mean = std::max(squares / static_cast<double>(scene_.elements()) - 4 * noise * noise,
                               0.01 * noise * noise);
  switch (options_.prior.kind) {
    case Prior::tikhonov:
    case Prior::gradient:
      return 0.1 / mean;
    case Prior::tv2:
      return 0.08 / std::sqrt(mean);
    default:
      return 0.15 / std::sqrt(mean);
  }
}

template <class T>
double SceneSearch<T>::most_lambda() const {
  constexpr double kMost = 5.0;
  const double noise = *options_.noise;
  const bool quadratic =
      options_.prior.kind == Prior::tikhonov || options_.prior.kind == Prior::gradient;
  return quadratic ? kMost * kMost / (noise * noise) : kMost / noise;
}

template <class T>
double SceneSearch<T>::prior_scale(double lambda) const {
  if (options_.prior_scale) return *options_.prior_scale;
  // Slopes s of the prior's draws have lambda s about 1: well below it the prior is blunt.
  if (!(lambda > 0) || fidelity_.options().kind == Fidelity::norm) return *options_.noise;
  return 0.03 / lambda;
}

template <class T>
PriorTerm<T> SceneSearch<T>::prior(double lambda) const {
  PriorOptions options = options_.prior;
  options.scale = prior_scale(lambda);
  return {blur_.scene(), options, options_.threads};
}

template <class T>
double SceneSearch<T>::misfit() const {
  Image<T> frame = Image<T>::uninitialised(blur_.frame());
  blur_.forward(scene_, frame, {options_.threads, {}});
  return fidelity_.value(frame);
}

template <class T>
bool SceneSearch<T>::tell(const Iterate<T>& at, double lambda, double fidelity) {
  if (at.iteration == 0 && !trace_.empty()) return true;
  DeblurStep<T> step;
  step.iteration = result_.iterations + at.iteration;
  step.value = at.value;
  step.lambda = lambda;
  step.residual = fidelity_.residual(fidelity);
  step.change = at.step / size_;
  step.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  trace_.push_back(step);
  if (!options_.callback) return true;
  step.image = blur_.visible(View<const T>(at.x.data(), blur_.scene()));
  return options_.callback(step);
}

template <class T>
void SceneSearch<T>::solve(double lambda, bool rough) {
  const Limits limits = limits_of(options_.method);
  MinimiseOptions<T> common;
  common.max_iterations = options_.max_iterations > 0 ? options_.max_iterations : limits.iterations;
  if (rough) {
    // Scores compare solutions; the evidence's fixed point needs the first of them only.
    const int rounds = options_.rule == LambdaRule::automatic ? 1 : 4;
    common.max_iterations = std::min(common.max_iterations, rounds * limits.rough);
  }
  common.change_tolerance = options_.tolerance > 0 ? options_.tolerance : limits.tolerance;
  common.threads = options_.threads;
  common.max_seconds = std::max(
      0.0, options_.max_seconds - std::chrono::duration<double>(Clock::now() - start_).count());
  size_ = std::max(norm<T>(flat()), std::numeric_limits<double>::min());
  const PriorTerm<T> prior_here = prior(lambda);
  const MinimiseResult result = options_.method == DeblurMethod::primal_dual
                                    ? balanced(prior_here, lambda, common)
                                    : descend(prior_here, lambda, common);
  result_.stop = result.stop;
  result_.iterations += result.iterations;
  result_.evaluations += result.evaluations;
  result_.products += result.products;
  result_.value = result.value;
  result_.gradient_norm = result.gradient_norm;
  result_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  stopped_ = result.stop == Stop::time || result.stop == Stop::cancelled;
}

template <class T>
MinimiseResult SceneSearch<T>::descend(const PriorTerm<T>& prior, double lambda,
                                       MinimiseOptions<T> common) {
  ObjectiveParts parts;
  const Objective<T> objective =
      deblur_objective(blur_, fidelity_, prior, lambda, options_.threads, &parts);
  common.callback = [&](const Iterate<T>& at) { return tell(at, lambda, parts.fidelity); };
  const Bounds<T> bounds{one(lower_), one(upper_)};
  switch (options_.method) {
    case DeblurMethod::newton_cg: {
      NewtonCgOptions<T> options;
      static_cast<MinimiseOptions<T>&>(options) = common;
      return newton_cg(objective, flat(), options);
    }
    case DeblurMethod::fista: {
      FistaOptions<T> options;
      static_cast<MinimiseOptions<T>&>(options) = common;
      options.bounds = bounds;
      options.lipschitz = fidelity_.curvature_bound() * norm_ * norm_;
      if (prior.active()) options.lipschitz += lambda * prior.curvature_bound();
      return fista(objective, flat(), options);
    }
    default: {
      LbfgsOptions<T> options;
      static_cast<MinimiseOptions<T>&>(options) = common;
      options.bounds = bounds;
      options.memory = kPairs;
      return lbfgs(objective, flat(), options);
    }
  }
}

template <class T>
MinimiseResult SceneSearch<T>::balanced(const PriorTerm<T>& prior, double lambda,
                                        const MinimiseOptions<T>& common) {
  ObjectiveParts parts;
  PrimalDualOptions<T> options;
  static_cast<MinimiseOptions<T>&>(options) = common;
  options.lower = options_.lower;
  options.upper = options_.upper;
  options.parts = &parts;
  options.callback = [&](const Iterate<T>& at) { return tell(at, lambda, parts.fidelity); };
  return primal_dual<T>(blur_, fidelity_, prior, lambda, scene_, options);
}

template <class T>
Balance SceneSearch<T>::balance(double lambda) {
  const PriorTerm<T> prior_here = prior(lambda);
  const Objective<T> objective =
      deblur_objective(blur_, fidelity_, prior_here, lambda, options_.threads);
  const Prior kind = options_.prior.kind;
  const bool quadratic = kind == Prior::tikhonov || kind == Prior::gradient;
  std::function<bool(T)> held;
  if (lower_ || upper_) {
    held = [this](T x) { return (lower_ && x <= *lower_) || (upper_ && x >= *upper_); };
  }
  Balance at;
  at.deviance = 2 * misfit();
  at.prior = prior_here.value(scene_) * (quadratic ? 2 : kind == Prior::tv2 ? 1 / kShareOfTv2 : 1);
  const int products = options_.rule == LambdaRule::automatic ? 30 : 120;
  at.freedom =
      degrees_of_freedom<T>(blur_, fidelity_, objective, flat(), held, products, options_.threads);
  at.counted = fidelity_.counted();
  return at;
}

template class SceneSearch<float>;
template class SceneSearch<double>;

}  // namespace blurfield::detail
