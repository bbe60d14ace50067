// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/newton_cg.h"

#include <algorithm>
#include <cmath>

#include "blurfield/optim/detail/cg.h"
#include "blurfield/optim/detail/line.h"

namespace blurfield {
namespace {

using detail::Run;
using detail::Scratch;

constexpr const char* kName = "newton_cg";

template <class T>
class NewtonCg {
 public:
  NewtonCg(Run<T>& run, const Objective<T>& objective, const NewtonCgOptions<T>& options)
      : run_(run),
        cg_iterations_(options.cg_iterations),
        change_tolerance_(options.change_tolerance),
        downhill_(run.size()),
        direction_(run.size()),
        solver_(run.size(), run.threads(), false),
        multiply_([&](std::span<const T> v, std::span<T> product) {
          run.count_product();
          objective.hessian_product(run.x(), v, product);
        }) {}

  void iterate() {
    // -gradient, its squared norm being minus its slope.
    const double square = detail::sum(
        run_.size(), run_.threads(), [g = run_.gradient().data(), to = downhill_.data()](Index i) {
          to[i] = -g[i];
          return static_cast<double>(g[i]) * static_cast<double>(g[i]);
        });
    const double norm = std::sqrt(square);
    tighten(norm);
    // What change_tolerance would not count is not worth a product either.
    const double least = 0.1 * change_tolerance_ * std::abs(run_.value());
    const ConjugateGradientResult solved =
        solver_.solve(kName, multiply_, downhill_.span(), direction_.span(), true,
                      {cg_iterations_, forcing_, least}, {});
    const double slope = detail::dot<T>(run_.gradient(), direction_.span(), run_.threads());
    const bool found =
        solved.iterations > 0 && detail::search_line(run_, direction_.data(), slope, 1.0);
    // Without a step of Newton's, also where the curvature is negative from the start, downhill.
    if (!found && !detail::search_line(run_, downhill_.data(), -square, std::min(1.0, 1 / norm))) {
      return run_.give_up();
    }
    run_.accept();
  }

 private:
  // The tolerance of the next solve, by Eisenstat and Walker's second choice with its safeguard.
  void tighten(double norm) {
    constexpr double kMost = 0.9;
    if (!run_.first()) {
      const double ratio = norm / norm_;
      const double safeguard = kMost * forcing_ * forcing_;
      forcing_ = kMost * ratio * ratio;
      if (safeguard > 0.1) forcing_ = std::max(forcing_, safeguard);
      forcing_ = std::min(forcing_, kMost);
    }
    norm_ = norm;
  }

  Run<T>& run_;
  int cg_iterations_;
  double change_tolerance_;
  Scratch<T> downhill_;
  Scratch<T> direction_;
  detail::CgSolver<T> solver_;
  LinearOperator<T> multiply_;
  double forcing_ = 0.5;
  double norm_ = 0.0;  // of the gradient before
};

}  // namespace

template <class T>
MinimiseResult newton_cg(const Objective<T>& objective, std::span<T> x,
                         const NewtonCgOptions<T>& options) {
  require(static_cast<bool>(objective.hessian_product), kName,
          "expected an objective with a Hessian product");
  require(options.cg_iterations >= 1, kName, "expected cg_iterations >= 1, got ",
          options.cg_iterations);
  Run<T> run(kName, objective, x, {}, options);
  NewtonCg<T> method(run, objective, options);
  return run.minimise([&] { method.iterate(); });
}

template MinimiseResult newton_cg(const Objective<float>&, std::span<float>,
                                  const NewtonCgOptions<float>&);
template MinimiseResult newton_cg(const Objective<double>&, std::span<double>,
                                  const NewtonCgOptions<double>&);

}  // namespace blurfield
