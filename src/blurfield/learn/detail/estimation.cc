// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/estimation.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

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
    budget_ =
        options.max_iterations > 0 ? options.max_iterations : usual_iterations(options.method);
  }

  void run(const View<const T>& start) {
    if (options_.model != BlurModel::mix && identical()) {
      parameters_ = lower_;
      problem_.set_noise(options_.noise.value_or(least_noise()));
      result_.result.stop = Stop::change;
      return finish();
    }
    begin(start);
    try {
      if (options_.lambda || !problem_.prior().active()) {
        problem_.set_lambda(options_.lambda.value_or(0.0));
        stage(options_.tolerance, budget_);
      } else {
        choose_lambda();
      }
    } catch (const Cancelled&) {  // between two stages
      result_.result.stop = Stop::cancelled;
      take_good();
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
    least_noise_ = least_noise();
    set_noise(problem_.robust_noise(parameters_));
    if (start.empty()) return;
    fit.set_field(start, parameters_);
    clamp();
  }

  void clamp() {
    for (std::size_t i = 0; i < size(); ++i) {
      parameters_[i] = std::clamp(parameters_[i], lower_[i], upper_[i]);
    }
  }

  // f(y) over all pixels, summed.
  template <class F>
  double sum(const F& f) const {
    std::vector<double> rows(static_cast<std::size_t>(y_.batch() * y_.channels() * y_.height()));
    parallel_for(std::ssize(rows), {options_.blur.execution.threads, {}}, [&](Index i) {
      const Index plane = i / y_.height();
      const T* row = y_.row(plane / y_.channels(), plane % y_.channels(), i % y_.height());
      double part = 0.0;
      for (Index x = 0; x < y_.width(); ++x) part += f(static_cast<double>(row[x * y_.x_stride()]));
      rows[static_cast<std::size_t>(i)] = part;
    });
    return std::accumulate(rows.begin(), rows.end(), 0.0);
  }

  // A floor under the noise found, for images made without any: rounding is noise too.
  double least_noise() const {
    const double n = static_cast<double>(y_.shape.elements());
    const double mean = sum([](double v) { return v; }) / n;
    const double spread = std::sqrt(sum([&](double v) { return (v - mean) * (v - mean); }) / n);
    // A blur of a constant, and its derivative, are as exact as this.
    const double rounding = 64 * std::numeric_limits<T>::epsilon() * std::abs(mean);
    const double least = std::max({1e-5 * spread, rounding, options_.least_noise});
    return least > 0 ? least : 1.0;
  }

  bool identical() const {
    for (Index n = 0; n < y_.batch(); ++n) {
      for (Index c = 0; c < y_.channels(); ++c) {
        for (Index row = 0; row < y_.height(); ++row) {
          for (Index col = 0; col < y_.width(); ++col) {
            if (x_.at(n, c, row, col) != y_.at(n, c, row, col)) return false;
          }
        }
      }
    }
    return true;
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

  void set_noise(double found) {
    problem_.set_noise(options_.noise.value_or(std::max(found, least_noise_)));
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

  template <class Options>
  Options bounded(const MinimiseOptions<T>& common) const {
    Options options;
    static_cast<MinimiseOptions<T>&>(options) = common;
    options.bounds = {lower_, upper_};
    return options;
  }

  MinimiseResult minimise(const MinimiseOptions<T>& common) {
    const Objective<T> objective = problem_.objective();
    const std::span<T> s(parameters_);
    if (options_.method == EstimateMethod::lbfgs) {
      return lbfgs<T>(objective, s, bounded<LbfgsOptions<T>>(common));
    }
    if (options_.method == EstimateMethod::adamax) {
      auto own = bounded<AdamaxOptions<T>>(common);
      own.rate = options_.rate;
      own.keep_best = true;
      return adamax<T>(objective, s, own);
    }
    if (options_.method == EstimateMethod::gradient_descent) {
      auto own = bounded<GradientDescentOptions<T>>(common);
      own.rate = options_.rate;
      own.keep_best = true;
      return gradient_descent<T>(objective, s, own);
    }
    if (problem_.separable()) {
      auto own = bounded<SeparableGaussNewtonOptions<T>>(common);
      own.max_step = 0.3;  // in log sigma: further away lie other minima
      return separable_gauss_newton<T>(objective, problem_.separable_curvature(), s, own);
    }
    auto own = bounded<GaussNewtonOptions<T>>(common);
    own.max_step = 1.0;
    if (!problem_.fit().gathers()) {  // each product costs two blurs
      own.cg_tolerance = 0.1;
      own.cg_iterations = 15;
    }
    return gauss_newton<T>(objective, problem_.curvature(), s, own);
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
    double lambda = std::clamp(pixels, 16.0, 64.0) * unit;
    while (lambda >= unit / 4 && lambda <= unit * std::max(16.0, pixels)) {
      problem_.set_lambda(lambda);
      if (!stage(1e-3, 12)) return take_good();
      // A field that follows the noise makes it look small, one that cannot bend makes it look
      // large.
      const double found = problem_.residual_noise(parameters_);
      if (tried.empty() || (lambda > tried.back()[0] && found < problem_.noise())) set_noise(found);
      tried.push_back({lambda, problem_.residual_size(parameters_)});
      // Parameters that follow the data take their share of the noise out of the residual. The
      // noise is known to 2.75 / sqrt(n), twice that is allowed.
      const double n = std::max(1.0, problem_.mask_total());
      const double left = 1.0 - problem_.effective_parameters(parameters_) / n + 5.5 / std::sqrt(n);
      const bool passed = std::pow(tried.back()[1] / problem_.noise(), 2) <= left;
      if (!passed && !good_.empty()) break;
      if (passed) {
        good_ = parameters_;
        good_lambda_ = lambda;
      }
      if (passed && tried.size() > 1 && lambda < tried[tried.size() - 2][0]) break;
      lambda *= passed ? 4 : 0.25;
    }
    if (good_.empty()) {
      // Other errors than noise are left: take the smoothest field that comes near the best.
      double best = tried.front()[1];
      for (const auto& [at, size] : tried) best = std::min(best, size);
      double chosen = 0.0;
      for (const auto& [at, size] : tried) {
        if (size <= 1.05 * best) chosen = std::max(chosen, at);
      }
      problem_.set_lambda(chosen);
    }
    take_good();
    stage(options_.tolerance, budget_);
  }

  // Back to the smoothest field that passed, if one did.
  void take_good() {
    if (good_.empty()) return;
    parameters_ = good_;
    problem_.set_lambda(good_lambda_);
  }

  void finish() {
    finishing_ = true;
    const BlurFit<T>& fit = problem_.fit();
    result_.result.iterations = done_;
    result_.result.seconds = seconds();
    // Parameters of every pixel take up noise: that found on the way counts.
    if (fit.local().rank() == 0) set_noise(problem_.robust_noise(parameters_));
    result_.noise = problem_.noise();
    result_.lambda = problem_.lambda();
    result_.loss = std::pow(problem_.residual_size(parameters_), 2);
    const bool pooled = problem_.prior().active() && problem_.lambda() > 0;
    result_.confidence = confidence_map<T>(problem_, parameters_,
                                           pooled ? options_.confidence_window : 0.0, options_);
    Index known = 0;
    for (Index i = 0; i < result_.confidence.elements(); ++i) {
      known += result_.confidence.data()[i] >= T{0.5} ? 1 : 0;
    }
    result_.known = static_cast<double>(known) / static_cast<double>(result_.confidence.elements());
    result_.field = fit.field(parameters_);
    result_.sigmas = fit.sigmas(parameters_);
    if (options_.learn_sigmas && result_.sigmas[0] > result_.sigmas[1]) {  // the sharper one first
      std::swap(result_.sigmas[0], result_.sigmas[1]);
      for (Index i = 0; i < result_.field.elements(); ++i) {
        result_.field.data()[i] = 1 - result_.field.data()[i];
      }
    }
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
  std::vector<T> good_;  // parameters at the largest lambda whose residual is noise
  double good_lambda_ = 0.0;
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
