// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/separable_gauss_newton.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "blurfield/optim/detail/run.h"

namespace blurfield {
namespace {

constexpr const char* kName = "separable_gauss_newton";
constexpr int kTries = 4;        // per iteration
constexpr int kJointTries = 2;   // of them along all parameters together
constexpr int kFruitless = 40;   // tries without a single step before giving up
constexpr double kLower = 0.2;   // factor on the damping of a step taken
constexpr double kRaise = 10.0;  // of one refused
constexpr double kLeast = 1e-12;
constexpr double kMost = 1e12;
constexpr double kHeld = 1e9;  // damping that holds a parameter

template <class T>
class SeparableGaussNewton {
 public:
  SeparableGaussNewton(detail::Run<T>& run, const SeparableCurvature<T>& curvature,
                       const SeparableGaussNewtonOptions<T>& options)
      : run_(run),
        curvature_(curvature),
        layout_(curvature.layout),
        options_(options),
        damping_(blocks(), static_cast<T>(options.damping)),
        dampings_(run.size()),
        step_(run.size()),
        point_(run.size()),
        values_(blocks()),
        trial_values_(blocks()),
        taken_(blocks()) {}

  void iterate() {
    curvature_.evaluate(run_.x(), values_);
    curvature_.linearise(run_.x());
    std::ranges::copy(run_.x(), point_.begin());
    std::ranges::fill(taken_, char{0});
    bool moved = false;
    for (int attempt = 0; attempt < (moved ? kTries : kFruitless); ++attempt) {
      moved = offer(attempt) || moved;
    }
    ++iterations_;
    std::ranges::copy(point_, run_.trial().begin());
    if (!moved || !run_.evaluate()) return run_.give_up();
    run_.accept();
  }

 private:
  std::size_t blocks() const { return static_cast<std::size_t>(layout_.blocks()); }

  // f(block) for every block that has not taken a step, in parallel.
  template <class F>
  void each_waiting(const F& f) {
    parallel_slices(layout_.blocks(), run_.threads(), [&](Index begin, Index end) {
      for (Index p = begin; p < end; ++p) {
        if (taken_[static_cast<std::size_t>(p)] == 0) f(p);
      }
    });
  }

  // Offers a step to all that wait; returns whether any took it.
  bool offer(int attempt) {
    const bool joint = attempt < kJointTries || layout_.parameters == 1;
    const Index free = (iterations_ + attempt) % layout_.parameters;
    each_waiting([&](Index p) {
      for (Index k = 0; k < layout_.parameters; ++k) {
        dampings_[layout_.at(p, k)] = joint       ? damping_[static_cast<std::size_t>(p)]
                                      : k == free ? static_cast<T>(options_.damping)
                                                  : static_cast<T>(kHeld);
      }
    });
    curvature_.solve(dampings_, run_.gradient(), step_);
    const std::span<T> trial = run_.trial();
    std::ranges::copy(point_, trial.begin());
    const auto most = static_cast<T>(options_.max_step);
    each_waiting([&](Index p) {
      for (Index k = 0; k < layout_.parameters; ++k) {
        const std::size_t i = layout_.at(p, k);
        trial[i] =
            run_.box().clamp(static_cast<Index>(i), point_[i] + std::clamp(step_[i], -most, most));
      }
    });
    curvature_.evaluate(trial, trial_values_);
    std::atomic<bool> any{false};
    each_waiting([&](Index p) {
      const auto at = static_cast<std::size_t>(p);
      const bool lower = trial_values_[at] < values_[at];
      const double damping = static_cast<double>(damping_[at]) * (lower ? kLower : kRaise);
      damping_[at] = static_cast<T>(std::clamp(damping, kLeast, kMost));
      if (!lower) return;
      any = true;
      taken_[at] = 1;
      for (Index k = 0; k < layout_.parameters; ++k) {
        point_[layout_.at(p, k)] = trial[layout_.at(p, k)];
      }
    });
    return any;
  }

  detail::Run<T>& run_;
  const SeparableCurvature<T>& curvature_;
  const BlockLayout layout_;
  const SeparableGaussNewtonOptions<T>& options_;
  std::vector<T> damping_;   // of each block
  std::vector<T> dampings_;  // of each parameter, for one offer
  std::vector<T> step_;
  std::vector<T> point_;  // x with the steps taken so far
  std::vector<double> values_;
  std::vector<double> trial_values_;
  std::vector<char> taken_;  // whether a block has moved in this iteration
  Index iterations_ = 0;
};

}  // namespace

template <class T>
MinimiseResult separable_gauss_newton(const Objective<T>& objective,
                                      const SeparableCurvature<T>& curvature, std::span<T> x,
                                      const SeparableGaussNewtonOptions<T>& options) {
  require(options.damping > 0 && options.max_step > 0, kName,
          "expected damping and max_step > 0, got ", options.damping, " and ", options.max_step);
  const BlockLayout& layout = curvature.layout;
  require(layout.parameters >= 1 && layout.blocks() * layout.parameters == std::ssize(x), kName,
          "expected ", layout.blocks(), " x ", layout.parameters, " parameters, got ", x.size());
  detail::Run<T> run(kName, objective, x, options.bounds, options);
  SeparableGaussNewton<T> method(run, curvature, options);
  return run.minimise([&] { method.iterate(); });
}

template MinimiseResult separable_gauss_newton(const Objective<float>&,
                                               const SeparableCurvature<float>&, std::span<float>,
                                               const SeparableGaussNewtonOptions<float>&);
template MinimiseResult separable_gauss_newton(const Objective<double>&,
                                               const SeparableCurvature<double>&, std::span<double>,
                                               const SeparableGaussNewtonOptions<double>&);

}  // namespace blurfield
