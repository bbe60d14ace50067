// SPDX-License-Identifier: BSD-3-Clause
// Recovers a blur from sharp images x and their blurred versions y, (N, C, H, W) or (N, C, L):
// minimises over the parameters of the blur A
//   1/2 sum m ((A x - y) / noise)^2 + lambda R(parameters)
// where m is the mask, and R keeps neighbouring parameters alike: the prior. Parameters are
// log sigma, the log-Cholesky a, b, c, or a mixing weight's logit, and start where uniform blurs
// agree with y best. The work is that of some hundred blurs.
//
// Throws Error for images that are not finite, shapes that do not match, and options out of range.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "blurfield/base/image.h"
#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/mix.h"
#include "blurfield/ops/soft_maximum.h"
#include "blurfield/optim/minimise.h"

namespace blurfield {

enum class BlurModel {
  sigma,     // a field of sigmas, (1, 1, H, W)
  uniform,   // one sigma, (1, 1, 1, 1)
  sigma_yx,  // a field of (sigma_y, sigma_x), (1, 2, H, W)
  logchol,   // a field of log-Cholesky parameters (a, b, c), (1, 3, H, W)
  mix,       // mixing weights (B3), (1, 1, H, W) or (1, 1, 1, 1)
};

enum class FieldPrior {
  none,
  smooth,  // 1/2 sum |grad s|^2 over the parameters s: constant fields cost nothing
  tv,      // Huber's version of sum |grad s|, which keeps edges
};

enum class EstimateMethod { gauss_newton, lbfgs, adamax, gradient_descent };

// sigma = exp(s), or the soft maximum (G7) of s, which nothing drives below its minimum.
enum class SigmaParameter { exponential, soft_maximum };

std::string_view model_name(BlurModel model);
std::optional<BlurModel> parse_model(std::string_view name);
std::string_view prior_name(FieldPrior prior);
std::optional<FieldPrior> parse_prior(std::string_view name);
std::string_view estimate_method_name(EstimateMethod method);
std::optional<EstimateMethod> parse_estimate_method(std::string_view name);
// Iterations allowed in all where the options name no limit.
int usual_iterations(EstimateMethod method);

// A row of the trace, after every iteration and for the start.
struct EstimateStep {
  int iteration = 0;
  double loss = 0.0;    // mean of m (A x - y)^2, in the images' units squared
  double value = 0.0;   // of what is minimised
  double lambda = 0.0;  // prior's weight in this iteration
  double gradient_norm = 0.0;
  double step = 0.0;     // |change of the parameters|
  double seconds = 0.0;  // since the start
};

struct EstimateOptions {
  BlurModel model = BlurModel::sigma;
  AdaptiveBlurOptions blur;  // gather or scatter, beyond the border, radii, threads
  SigmaParameter parameter = SigmaParameter::exponential;  // of sigma, sigma_yx and uniform
  SoftMaximum soft_maximum;
  // Mix: the two sigmas, moved too if `learn_sigmas`; a weight per pixel, or one for all.
  MixSigmas sigmas{1.0, 5.0};
  bool learn_sigmas = false;
  bool scalar_weight = false;

  bool shared = true;  // one field for the whole batch, else one per image, (N, K, H, W)
  FieldPrior prior = FieldPrior::smooth;
  // Empty: the largest weight whose residual still looks like noise (discrepancy principle).
  std::optional<double> lambda;
  // Standard deviation of the noise of y. Empty: found from the residual (E5), but
  // no less than `least_noise`, say that of rounding to integers.
  std::optional<double> noise;
  double least_noise = 0.0;
  double tv_scale = 0.01;  // slopes of s, per pixel, below which tv is smooth

  EstimateMethod method = EstimateMethod::gauss_newton;
  int max_iterations = 0;   // in all; 0: usual_iterations(method)
  double tolerance = 1e-4;  // relative change of the value that ends the work
  double rate = 0.1;        // of adamax and gradient_descent
  double max_seconds = std::numeric_limits<double>::infinity();
  // Sigma of the window that confidence is judged by, pixels; without a prior each pixel stands
  // alone.
  double confidence_window = 6.0;
  // Largest sigma, pixels; 0: a quarter of the image's shorter side, within 1..64.
  double max_sigma = 0.0;
  // Returning false stops the work, which then gives the best field so far.
  std::function<bool(const EstimateStep&)> callback;
};

template <class T>
struct Estimate {
  Image<T> field;      // as `model` says; feeds adaptive_blur, or mix as its weight
  MixSigmas sigmas{};  // of mix
  // How well the images tell the field, (1 or N, 1, H, W), 0..1: 1 / (1 + (error / 0.1)^2), error
  // the standard deviation of log sigma (of the worst direction; of the weight for mix) that noise
  // leaves, given the pixels within the confidence window alone, and larger where the residual
  // there is no noise: where a blur does not explain the images. >= 0.5 counts as known.
  Image<T> confidence;
  double noise = 0.0;   // standard deviation assumed
  double lambda = 0.0;  // prior's weight used
  double loss = 0.0;    // mean of m (A x - y)^2 at the field
  double known = 0.0;   // fraction of pixels with confidence >= 0.5
  MinimiseResult result;
  std::vector<EstimateStep> trace;
};

// `mask` (N | 1, 1, H, W) >= 0 weighs pixels of y, 0 leaves one out; empty: all alike. `start` is a
// field of the result's shape (for mix, weights within 0..1) to begin with; empty: found from the
// images.
template <class T>
Estimate<T> estimate(const View<const T>& sharp, const View<const T>& blurred,
                     const EstimateOptions& options = {}, const View<const T>& mask = {},
                     const View<const T>& start = {});

}  // namespace blurfield
