// SPDX-License-Identifier: BSD-3-Clause
// What an estimate minimises, 1/2 sum M (A(s) x - y)^2 + lambda R(s), M = mask / noise^2, as the
// optimisers want it.
#pragma once

#include <memory>

#include "blurfield/learn/detail/field_prior.h"
#include "blurfield/learn/detail/multilevel.h"
#include "blurfield/learn/detail/normal_equations.h"
#include "blurfield/optim/gauss_newton.h"
#include "blurfield/optim/separable_gauss_newton.h"

namespace blurfield::detail {

template <class T>
class Problem {
 public:
  // `mask` is empty or (N | 1, 1, H, W). The views and options must outlive the problem.
  Problem(const View<const T>& x, const View<const T>& y, const View<const T>& mask,
          const EstimateOptions& options);

  const BlurFit<T>& fit() const { return *fit_; }
  const PriorOnField<T>& prior() const { return prior_; }
  double noise() const { return noise_; }
  double lambda() const { return lambda_; }
  // Sum of the mask over pixels and channels.
  double mask_total() const { return mask_total_; }
  // mask over all channels, divided by noise^2.
  const Image<T>& weights() const { return weights_; }
  void set_noise(double noise);
  void set_lambda(double lambda) { lambda_ = lambda; }

  // Mean of mask (A(s) x - y)^2, given the value at s.
  double loss(std::span<const T> s, double value) const;
  // A(s) x - y, valid until the next call.
  const Image<T>& residual(std::span<const T> s);
  // The noise level of the residual at s, (ops/noise_level.h): for a start that does not fit yet.
  double robust_noise(std::span<const T> s);
  // The same from the residual's second differences: more precise, and right also for noise whose
  // level varies; but no more than 1.5 times the above, lest a few places that do not fit count.
  double residual_noise(std::span<const T> s);
  // The root of the mean squared residual at s.
  double residual_size(std::span<const T> s);
  // How many parameters the data determine at s, the prior holding the others: the trace of
  // (J^T M J + lambda R'')^-1 J^T M J, by one random vector (Hutchinson 1990).
  double effective_parameters(std::span<const T> s);
  // Mean of the diagonal of J^T M J over the local parameters at s.
  double mean_information(std::span<const T> s);
  // The normal equations at s, of the data alone.
  const NormalEquations<T>& equations(std::span<const T> s);

  Objective<T> objective();
  Curvature<T> curvature();
  // Whether every pixel's parameters have a term of their own: a gather without a prior.
  bool separable() const;
  SeparableCurvature<T> separable_curvature();

 private:
  double evaluate(std::span<const T> s, std::span<T> gradient);
  void linearise(std::span<const T> s);
  // product = J^T M J v
  void multiply_data(std::span<const T> v, std::span<T> product);
  void multiply(std::span<const T> v, std::span<T> product);
  void scale(std::span<T> diagonal) const;
  BlockLayout layout() const;
  // The terms of each pixel of the field, 1/2 sum M (A(s) x - y)^2 over channels and images.
  void evaluate_pixels(std::span<const T> s, std::span<double> values);
  void solve_pixels(std::span<const T> damping, std::span<const T> gradient, std::span<T> step);
  void precondition(double damping, std::span<const T> v, std::span<T> product);

  View<const T> y_;
  View<const T> mask_;
  const EstimateOptions& options_;
  int threads_;
  std::unique_ptr<BlurFit<T>> fit_;
  PriorOnField<T> prior_;
  NormalEquations<T> equations_;
  Multilevel<T> multilevel_;
  Image<T> weights_;
  double mask_total_ = 0.0;  // over pixels and channels
  double noise_ = 1.0;
  double lambda_ = 0.0;
  Image<T> out_;
  std::vector<T> at_;      // where the curvature holds
  double damping_ = -1.0;  // that the preconditioner was made for
  std::vector<T> diagonal_;
  std::vector<double> global_inverse_;  // of the globals' block
};

}  // namespace blurfield::detail
