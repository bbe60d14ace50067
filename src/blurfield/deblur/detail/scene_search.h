// SPDX-License-Identifier: BSD-3-Clause
// The scene as the iterative methods move it: one solve after the other, each at its own lambda,
// from where the last one stopped.
#pragma once

#include <chrono>

#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/detail/choose_lambda.h"
#include "blurfield/deblur/objective.h"

namespace blurfield::detail {

template <class T>
class SceneSearch {
 public:
  // `options.method` is one of fista, lbfgs, newton_cg, primal_dual. All must outlive this.
  SceneSearch(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
              const DeblurOptions<T>& options, Image<T> start);

  // Solves at this lambda; a rough solve ends after as few iterations as a choice of lambda needs.
  void solve(double lambda, bool rough);
  // What the scene tells about lambda. Costs about 60 blurs.
  Balance balance(double lambda);
  // Whether the time is over, or the callback has said stop.
  bool stopped() const { return stopped_; }

  // A weight to begin with, from the slopes of the start.
  double first_lambda() const;
  double most_lambda() const;  // where hardly a slope above the noise is left
  double prior_scale(double lambda) const;
  const Image<T>& scene() const { return scene_; }
  const MinimiseResult& result() const { return result_; }  // of all solves
  double misfit() const;                                    // the fidelity at the scene
  std::vector<DeblurStep<T>> take_trace() { return std::move(trace_); }

 private:
  using Clock = std::chrono::steady_clock;
  std::span<T> flat() { return {scene_.data(), static_cast<std::size_t>(scene_.elements())}; }
  PriorTerm<T> prior(double lambda) const;
  MinimiseResult descend(const PriorTerm<T>& prior, double lambda, MinimiseOptions<T> common);
  MinimiseResult balanced(const PriorTerm<T>& prior, double lambda,
                          const MinimiseOptions<T>& common);
  bool tell(const Iterate<T>& at, double lambda, double fidelity);

  const BlurOperator<T>& blur_;
  const FidelityTerm<T>& fidelity_;
  const DeblurOptions<T>& options_;
  const Clock::time_point start_ = Clock::now();
  Image<T> scene_;
  std::optional<T> lower_;
  std::optional<T> upper_;
  double norm_ = 0.0;  // bound of |A|, for fista
  double size_ = 1.0;  // |x| at the start of the solve
  bool stopped_ = false;
  MinimiseResult result_;
  std::vector<DeblurStep<T>> trace_;
};

}  // namespace blurfield::detail
