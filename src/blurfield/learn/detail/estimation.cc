// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/estimation.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "blurfield/learn/detail/confidence.h"
#include "blurfield/learn/detail/problem.h"
#include "blurfield/learn/detail/start.h"
#include "blurfield/optim/adamax.h"
#include "blurfield/optim/gradient_descent.h"
#include "blurfield/optim/lbfgs.h"

namespace blurfield::detail {
namespace {

// The work on one estimate. A stage is a run of the optimiser with one noise level and one weight
// of the prior.
template <class T>
class Estimation {
 public:
  Estimation(const View<const T>& x, const View<const T>& y, const View<const T>& mask,
             const EstimateOptions& options, Estimate<T>& result)
      : options_(own_options(options)),
        problem_(x, y, mask, options_),
        x_(x),
        y_(y),
        start_time_(Clock::now()),
        parameters_(size()),
        lower_(size()),
        upper_(size()),
        result_(result) {
    const Index side = std::min(y.spatial_rank() == 2 ? y.height() : y.width(), y.width());
    const double max_sigma = options.max_sigma > 0
                                 ? options.max_sigma
                                 : std::clamp(static_cast<double>(side) / 4, 1.0, 64.0);
    max_sigma_ = std::max(max_sigma, 2 * kMinSigma);
    problem_.fit().bounds(max_sigma_, lower_, upper_);
    budget_ = options.max_iterations > 0                       ? options.max_iterations
              : options.method == EstimateMethod::gauss_newton ? 100
                                                               : 300;
  }

  void run(const View<const T>& start) {
    begin(start);
    if (options_.lambda || !problem_.prior().active()) {
      problem_.set_lambda(options_.lambda.value_or(0.0));
      stage(options_.tolerance, budget_);
    } else {
      try {
        choose_lambda();
      } catch (const Cancelled&) {  // between two stages
        result_.result.stop = Stop::cancelled;
      }
    }
    finish();
  }

 private:
  using Clock = std::chrono::steady_clock;

  // The blurs ask the caller whether to go on, until it is time to save what there is.
  EstimateOptions own_options(const EstimateOptions& options) {
    EstimateOptions own = options;
    if (const auto ask = options.blur.execution.progress) {
      own.blur.execution.progress = [this, ask](double done) { return finishing_ || ask(done); };
    }
    return own;
  }

  std::size_t size() const { return static_cast<std::size_t>(problem_.fit().size()); }

  void begin(const View<const T>& start) {
    const BlurFit<T>& fit = problem_.fit();
    const auto found = find_start<T>(x_, y_, problem_.weights(), max_sigma_, options_);
    fit.set_uniform(found.sigma, parameters_);
    if (options_.model != BlurModel::mix && fit.local().rank() > 0) spread(found.field);
    clamp();
    least_noise_ = std::max(least_noise(), options_.noise ? 0.0 : options_.least_noise);
    update_noise();
    if (start.empty()) return;
    fit.set_field(start, parameters_);
    clamp();
  }

  void clamp() {
    for (std::size_t i = 0; i < size(); ++i) {
      parameters_[i] = std::clamp(parameters_[i], lower_[i], upper_[i]);
    }
  }

  // A floor under the noise, for images made without any: rounding is noise too.
  double least_noise() const {
    double power = 0.0;
    for (Index n = 0; n < y_.batch(); ++n) {
      for (Index c = 0; c < y_.channels(); ++c) {
        for (Index row = 0; row < y_.height(); ++row) {
          for (Index col = 0; col < y_.width(); ++col) {
            power += std::pow(static_cast<double>(y_.at(n, c, row, col)), 2);
          }
        }
      }
    }
    const double size = std::sqrt(power / static_cast<double>(y_.shape.elements()));
    return size > 0 ? 1e-5 * size : 1.0;
  }

  // The start's sigma of each pixel into every channel that is a width.
  void spread(const Image<T>& sigma) {
    const BlurFit<T>& fit = problem_.fit();
    Image<T> field = fit.field(parameters_);
    const Index channels = fit.local()[1];
    const Index plane = field.elements() / (fit.local()[0] * channels);
    for (Index i = 0; i < field.elements(); ++i) {
      const Index k = i / plane % channels;
      const T own = sigma.data()[i / (plane * channels) * plane + i % plane];
      if (options_.model != BlurModel::logchol) {
        field.data()[i] = own;
      } else if (k != 1) {
        field.data()[i] = std::log(own);
      }
    }
    fit.set_field(field, parameters_);
  }

  void update_noise() {
    const double noise = options_.noise ? *options_.noise : problem_.residual_noise(parameters_);
    problem_.set_noise(std::max(noise, least_noise_));
  }

  // Runs the optimiser; returns whether to go on.
  bool stage(double tolerance, int iterations) {
    iterations = std::min(iterations, budget_ - done_);
    if (iterations <= 0) return false;
    MinimiseOptions<T> common;
    common.max_iterations = iterations;
    common.change_tolerance = tolerance;
    common.max_seconds = std::max(0.0, options_.max_seconds - seconds());
    common.threads = options_.blur.execution.threads;
    common.callback = [&](const Iterate<T>& iterate) { return tell(iterate); };
    const MinimiseResult stage = minimise(common);
    done_ += stage.iterations;
    result_.result.stop = stage.stop;
    result_.result.evaluations += stage.evaluations;
    result_.result.products += stage.products;
    result_.result.value = stage.value;
    result_.result.gradient_norm = stage.gradient_norm;
    return stage.stop != Stop::cancelled && stage.stop != Stop::time;
  }

  MinimiseResult minimise(const MinimiseOptions<T>& common) {
    const Bounds<T> bounds{lower_, upper_};
    const Objective<T> objective = problem_.objective();
    const std::span<T> s(parameters_);
    switch (options_.method) {
      case EstimateMethod::lbfgs: {
        LbfgsOptions<T> own;
        static_cast<MinimiseOptions<T>&>(own) = common;
        own.bounds = bounds;
        return lbfgs<T>(objective, s, own);
      }
      case EstimateMethod::adamax: {
        AdamaxOptions<T> own;
        static_cast<MinimiseOptions<T>&>(own) = common;
        own.bounds = bounds;
        own.rate = options_.rate;
        own.keep_best = true;
        return adamax<T>(objective, s, own);
      }
      case EstimateMethod::gradient_descent: {
        GradientDescentOptions<T> own;
        static_cast<MinimiseOptions<T>&>(own) = common;
        own.rate = options_.rate;
        return gradient_descent<T>(objective, s, own);
      }
      default: {
        if (problem_.separable()) {
          SeparableGaussNewtonOptions<T> own;
          static_cast<MinimiseOptions<T>&>(own) = common;
          own.bounds = bounds;
          own.max_step = 0.3;  // in log sigma: further away lie other minima
          return separable_gauss_newton<T>(objective, problem_.separable_curvature(), s, own);
        }
        GaussNewtonOptions<T> own;
        static_cast<MinimiseOptions<T>&>(own) = common;
        own.bounds = bounds;
        own.max_step = 1.0;
        if (!problem_.fit().gathers()) {  // each product costs two blurs
          own.cg_tolerance = 0.1;
          own.cg_iterations = 15;
        }
        return gauss_newton<T>(objective, problem_.curvature(), s, own);
      }
    }
  }

  bool tell(const Iterate<T>& iterate) {
    if (iterate.iteration == 0 && done_ > 0) return true;  // the end of the stage before
    EstimateStep step;
    step.iteration = done_ + iterate.iteration;
    step.value = iterate.value;
    step.loss = problem_.loss(iterate.x, iterate.value);
    step.lambda = problem_.lambda();
    step.gradient_norm = iterate.gradient_norm;
    step.step = iterate.step;
    step.seconds = seconds();
    result_.trace.push_back(step);
    return !options_.callback || options_.callback(step);
  }

  // The discrepancy principle: the largest lambda whose residual is no larger than the noise, found
  // in steps that double or halve the distance over which a pixel's information is shared.
  void choose_lambda() {
    const double information = std::max(problem_.mean_information(parameters_), 1e-12);
    const double unit = information * (options_.prior == FieldPrior::tv ? options_.tv_scale : 1.0);
    const double pixels = static_cast<double>(problem_.fit().local().elements());
    std::vector<std::array<double, 2>> tried;  // lambda, size of the residual
    std::vector<T> good;                       // parameters at the largest lambda that passed
    double chosen = 0.0;                       // that lambda
    double lambda = std::clamp(pixels, 16.0, 64.0) * unit;
    while (lambda >= unit / 4 && lambda <= unit * std::max(16.0, pixels)) {
      problem_.set_lambda(lambda);
      if (!stage(1e-3, 12)) return;
      // A field that follows the noise makes it look small: only smoother ones are asked.
      if (tried.empty() || lambda > tried.back()[0]) update_noise();
      tried.push_back({lambda, problem_.residual_size(parameters_)});
      // Parameters that follow the data take their share of the noise out of the residual.
      const double left =
          1.0 - problem_.effective_parameters(parameters_) / std::max(1.0, problem_.mask_total());
      const bool passed = std::pow(tried.back()[1] / problem_.noise(), 2) <= left;
      if (!passed && !good.empty()) break;
      if (passed) {
        good = parameters_;
        chosen = lambda;
      }
      if (passed && tried.size() > 1 && lambda < tried[tried.size() - 2][0]) break;
      lambda *= passed ? 4 : 0.25;
    }
    if (!good.empty()) {
      parameters_ = std::move(good);
    } else {
      // Other errors than noise are left: take the smoothest field that comes near the best.
      double best = tried.front()[1];
      for (const auto& [at, size] : tried) best = std::min(best, size);
      for (const auto& [at, size] : tried) {
        if (size <= 1.05 * best) chosen = std::max(chosen, at);
      }
    }
    problem_.set_lambda(chosen);
    stage(options_.tolerance, budget_);
  }

  void finish() {
    finishing_ = true;
    const BlurFit<T>& fit = problem_.fit();
    result_.result.iterations = done_;
    result_.result.seconds = seconds();
    // Parameters of every pixel take up noise: that found on the way counts.
    if (fit.local().rank() == 0) update_noise();
    result_.noise = problem_.noise();
    result_.lambda = problem_.lambda();
    result_.loss = std::pow(problem_.residual_size(parameters_), 2);
    // One blur for all pixels is known no better than it fits.
    if (fit.local().rank() == 0) {
      problem_.set_noise(std::max(problem_.noise(), std::sqrt(result_.loss)));
    }
    const double window = problem_.prior().active() ? options_.confidence_window : 0.0;
    result_.confidence =
        confidence_map<T>(fit, problem_.equations(parameters_), parameters_, window, options_);
    Index known = 0;
    for (Index i = 0; i < result_.confidence.elements(); ++i) {
      known += result_.confidence.data()[i] >= T{0.5} ? 1 : 0;
    }
    result_.known = static_cast<double>(known) / static_cast<double>(result_.confidence.elements());
    result_.field = fit.field(parameters_);
    result_.sigmas = fit.sigmas(parameters_);
  }

  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_time_).count();
  }

  EstimateOptions options_;
  Problem<T> problem_;
  View<const T> x_;
  View<const T> y_;
  Clock::time_point start_time_;
  std::vector<T> parameters_;
  std::vector<T> lower_;
  std::vector<T> upper_;
  Estimate<T>& result_;
  double max_sigma_ = 0.0;
  double least_noise_ = 0.0;
  int budget_ = 0;
  bool finishing_ = false;
  int done_ = 0;  // iterations of the stages before
};

}  // namespace

template <class T>
void run_estimation(const View<const T>& x, const View<const T>& y, const View<const T>& mask,
                    const View<const T>& start, const EstimateOptions& options,
                    Estimate<T>& result) {
  Estimation<T>(x, y, mask, options, result).run(start);
}

template void run_estimation(const View<const float>&, const View<const float>&,
                             const View<const float>&, const View<const float>&,
                             const EstimateOptions&, Estimate<float>&);
template void run_estimation(const View<const double>&, const View<const double>&,
                             const View<const double>&, const View<const double>&,
                             const EstimateOptions&, Estimate<double>&);

}  // namespace blurfield::detail
