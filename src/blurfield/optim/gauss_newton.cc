// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/gauss_newton.h"

#include <algorithm>
#include <cmath>

#include "blurfield/optim/detail/cg.h"
#include "blurfield/optim/detail/run.h"

namespace blurfield {
namespace {

using detail::Run;
using detail::Scratch;

constexpr const char* kName = "gauss_newton";

template <class T>
class GaussNewton {
 public:
  GaussNewton(Run<T>& run, const Curvature<T>& curvature, const GaussNewtonOptions<T>& options)
      : run_(run),
        curvature_(curvature),
        options_(options),
        damping_(options.damping),
        right_side_(run.size()),
        step_(run.size()),
        product_(run.size()),
        diagonal_(curvature.scale ? run.size() : 0),
        free_(run.box().bounded() ? run.size() : 0),
        solver_(run.size(), run.threads(), static_cast<bool>(curvature.precondition)) {
    damped_ = [this](std::span<const T> v, std::span<T> product) { multiply_damped(v, product); };
    if (!curvature.precondition) return;
    precondition_ = [this](std::span<const T> v, std::span<T> product) {
      curvature_.precondition(damping_, v, product);
      keep_free(product);
    };
  }

  // One accepted step: damping rises until there is one.
  void iterate() {
    constexpr int kRejections = 40;
    if (curvature_.linearise) curvature_.linearise(run_.x());
    if (curvature_.scale) curvature_.scale(diagonal_.span());
    if (run_.box().bounded()) mark_free();
    double raise = 2.0;
    for (int rejected = 0; rejected < kRejections; ++rejected) {
      const double predicted = propose();
      const bool finite = predicted > 0 && run_.evaluate();
      const double ratio = finite ? (run_.value() - run_.trial_value()) / predicted : 0.0;
      const bool rounding = predicted <= std::numeric_limits<T>::epsilon() * std::abs(run_.value());
      // Where the decrease drowns in the value's rounding, the gradient tells.
      const bool flatter = run_.trial_gradient_norm() < 0.9 * run_.gradient_norm();
      if (ratio > 0 || (finite && rounding && flatter)) {
        const double excess = rounding ? 1.0 : 2 * ratio - 1;
        damping_ *= std::max(1.0 / 3, 1 - excess * excess * excess);
        damping_ = std::max(damping_, kLeastDamping);
        return run_.accept();
      }
      if (predicted == 0 || (finite && rounding)) break;
      damping_ *= raise;
      raise *= 2.0;
    }
    run_.give_up();
  }

 private:
  static constexpr double kLeastDamping = 1e-15;

  // 1 for the parameters that may move, 0 for those that a bound holds.
  void mark_free() {
    detail::each(run_.size(), run_.threads(),
                 [x = run_.x().data(), g = run_.gradient().data(), free = free_.data(),
                  box = run_.box()](Index i) { free[i] = box.holds(i, x[i], g[i]) ? T{0} : T{1}; });
  }
  void keep_free(std::span<T> v) const {
    if (!run_.box().bounded()) return;
    detail::each(run_.size(), run_.threads(),
                 [to = v.data(), free = free_.data()](Index i) { to[i] *= free[i]; });
  }

  // product = B v
  void multiply(std::span<const T> v, std::span<T> product) {
    run_.count_product();
    curvature_.multiply(v, product);
  }
  // product = (B + damping D) v on the free parameters, which v is of.
  void multiply_damped(std::span<const T> v, std::span<T> product) {
    multiply(v, product);
    const T* scale = curvature_.scale ? diagonal_.data() : nullptr;
    detail::each(run_.size(), run_.threads(),
                 [=, from = v.data(), to = product.data(), damping = static_cast<T>(damping_)](
                     Index i) { to[i] += damping * (scale ? scale[i] * from[i] : from[i]); });
    keep_free(product);
  }

  // Writes the next point to the run's trial; returns by how much its model of f is lower there,
  // or less than 0 where the damped system is not positive definite.
  double propose() {
    const T* x = run_.x().data();
    const T* g = run_.gradient().data();
    T* step = step_.data();
    const T* product = product_.data();
    detail::each(run_.size(), run_.threads(),
                 [g, to = right_side_.data()](Index i) { to[i] = -g[i]; });
    keep_free(right_side_.span());
    const ConjugateGradientResult solved =
        solver_.solve(kName, damped_, right_side_.span(), step_.span(), true,
                      {options_.cg_iterations, options_.cg_tolerance}, precondition_);
    if (solved.stop == ConjugateGradientStop::indefinite && solved.iterations == 0) return -1.0;
    detail::each(run_.size(), run_.threads(),
                 [=, to = run_.trial().data(), box = run_.box(),
                  most = static_cast<T>(options_.max_step)](Index i) {
                   to[i] = box.clamp(i, x[i] + std::clamp(step[i], -most, most));
                   step[i] = to[i] - x[i];
                 });
    multiply(step_.span(), product_.span());
    return detail::sum(run_.size(), run_.threads(), [=](Index i) {
      const auto slope = static_cast<double>(g[i]) + static_cast<double>(product[i]) / 2;
      return -slope * static_cast<double>(step[i]);
    });
  }

  Run<T>& run_;
  const Curvature<T>& curvature_;
  const GaussNewtonOptions<T>& options_;
  double damping_;
  Scratch<T> right_side_;
  Scratch<T> step_;
  Scratch<T> product_;
  Scratch<T> diagonal_;
  Scratch<T> free_;
  detail::CgSolver<T> solver_;
  LinearOperator<T> damped_;
  LinearOperator<T> precondition_;
};

}  // namespace

template <class T>
MinimiseResult gauss_newton(const Objective<T>& objective, const Curvature<T>& curvature,
                            std::span<T> x, const GaussNewtonOptions<T>& options) {
  require(static_cast<bool>(curvature.multiply), kName, "expected a curvature to multiply with");
  require(options.damping > 0 && std::isfinite(options.damping), kName,
          "expected damping > 0, got ", options.damping);
  require(options.max_step > 0, kName, "expected max_step > 0, got ", options.max_step);
  require(options.cg_iterations >= 1, kName, "expected cg_iterations >= 1, got ",
          options.cg_iterations);
  require(options.cg_tolerance >= 0 && options.cg_tolerance < 1, kName,
          "expected 0 <= cg_tolerance < 1, got ", options.cg_tolerance);
  Run<T> run(kName, objective, x, options.bounds, options);
  GaussNewton<T> method(run, curvature, options);
  return run.minimise([&] { method.iterate(); });
}

template MinimiseResult gauss_newton(const Objective<float>&, const Curvature<float>&,
                                     std::span<float>, const GaussNewtonOptions<float>&);
template MinimiseResult gauss_newton(const Objective<double>&, const Curvature<double>&,
                                     std::span<double>, const GaussNewtonOptions<double>&);

}  // namespace blurfield
