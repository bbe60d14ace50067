// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/uniform/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace blurfield::detail {
namespace {

// Below this a tolerance is as good as exact.
template <class T>
constexpr double kLeast = sizeof(T) == 4 ? 4e-6 : 1e-12;

// Nanoseconds of one thread in float, measured on 2048 x 2048 pixels with AVX-512; twice as many in
// double. A multiply-add; what a pass takes beside them; both transposes around passes along x;
// once, whatever the size: a blur, and of an axis' level its weights, more where samples are far
// apart.
constexpr double kTap = 0.021;
constexpr double kPass = 0.35;
constexpr double kTranspose = 0.4;
constexpr double kSetUp = 6e3;
constexpr double kLevel = 1.2e4;
constexpr double kLevelStep = 360.0;
constexpr double kTermTaps = 30.0;  // what a separable term takes beside its taps, in taps

// Without nodes to interpolate between, more of the tolerance is left for the level.
constexpr double kShare = 1.5;

// What a full covariance on a level spends of the tolerance: two truncations, the prefilter's, and
// at these variances 0.23 for aliasing by the level, the coarse Gaussian and the reading.
constexpr double kCovarianceSpent = 0.9;
constexpr double kReading = 0.4;  // variances, of Ladder::least
constexpr double kCoarse = 0.375;
constexpr double kSplit = 0.05;  // what the coarse kernel's terms may lack, of the tolerance

// The part of a sampled Gaussian's mass beyond r.
double tail(double sigma, int r) {
  if (sigma == 0) return 0.0;
  if (sigma > 8) return std::erfc((r + 0.5) / (sigma * std::numbers::sqrt2));
  double inside = 0.5;
  double outside = 0.0;
  for (int k = 1; k <= static_cast<int>(40 * sigma) + 1; ++k) {
    (k <= r ? inside : outside) += std::exp(-0.5 * k * k / (sigma * sigma));
  }
  return outside / (inside + outside);
}

// sum |w' - w| of a Gaussian cut off and normalised; of a covariance at most.
double truncation_error(const UniformGaussian& gaussian) {
  const double y = tail(gaussian.sigma()[0], gaussian.radius()[0]);
  const double x = tail(gaussian.sigma()[1], gaussian.radius()[1]);
  return std::min(2.0, 2.0 * (gaussian.parameters().size() == 3 ? y + x : y + x - y * x));
}

// Taps per pixel of a kernel of this covariance as a sum of separable terms that lacks `error`: the
// singular values of a Gaussian of correlation rho fall by rho / (1 + sqrt(1 - rho^2)).
double covariance_taps(const Cov& cov, double ry, double rx, double error) {
  const double rho = std::min(std::abs(cov[1]) / std::sqrt(cov[0] * cov[2]), 1.0);
  const double fall = rho / (1.0 + std::sqrt(1.0 - rho * rho));
  const double low = 2.0 * std::min(ry, rx) + 1.0;
  const double high = 2.0 * std::max(ry, rx) + 1.0;
  const double terms = fall < 1e-9 ? 1.0 : 1.0 + std::ceil(std::log(error) / std::log(fall));
  return std::min(terms * (low + high + kTermTaps), low * (high + 1.0 + kTermTaps));
}

// Blocks of six sums read five rows more than one does.
double own_cost(Index n, double radius) {
  return kPass + kTap * (std::min(2.0 * radius + 1.0, static_cast<double>(n)) + 5.0);
}

// Samples of a level per pixel of an axis, 1 where there is none.
double density(const AxisBlur& axis, const Ladder& ladder) {
  if (axis.step <= 1) return 1.0;
  return static_cast<double>(samples_of(axis, ladder).count) / static_cast<double>(axis.n);
}

// The same of an axis that has no ends.
double endless_density(const AxisBlur& axis) {
  return 1.0 / static_cast<double>(std::max<Index>(axis.step, 1));
}

// Making `made` samples per pixel of an axis of n, and reading pixels from them by taps of width
// tau.
double level_cost(Index n, Index step_pixels, double made, double tau, const Ladder& ladder) {
  const auto step = static_cast<double>(step_pixels);
  const double prefilter =
      (2.0 * ladder.prefilter_reach * std::sqrt(ladder.prefilter) + 6.0) * step;
  return 2.0 * kPass + kTap * (std::min(prefilter, static_cast<double>(n)) * made +
                               2.0 * ladder.reach * tau + 1.0 + 5.0 / step);
}

double level_set_up(Index step) {
  return step > 1 ? kLevel + kLevelStep * static_cast<double>(step) : 0.0;
}

double axis_cost(const AxisBlur& axis, double made, const Ladder& ladder) {
  if (axis.step == 0) return 0.0;
  if (axis.step == 1) return own_cost(axis.n, std::ceil(axis.reach * axis.sigma));
  return level_cost(axis.n, axis.step, made, reading_width(axis, ladder), ladder);
}

// Along y, then along x on the rows that y's level has.
double axes_cost(const std::array<AxisBlur, 2>& axes, const std::array<double, 2>& made,
                 const Ladder& ladder) {
  const double x = axes[1].step > 0 ? kTranspose + axis_cost(axes[1], made[1], ladder) : 0.0;
  return axis_cost(axes[0], made[0], ladder) + made[0] * x;
}

// The largest of 1, 2, 3, 4, 6, 8, 12, .. that may serve. Parts of an image that begin at a
// multiple of many of them have its samples.
Index whole_step(double sigma, double least) {
  const double most = std::clamp(sigma / std::sqrt(least), 1.0, 0x1p30);
  const double power = std::exp2(std::floor(std::log2(most)));
  return static_cast<Index>(power > 1.0 && 1.5 * power <= most ? 1.5 * power : power);
}

class Planner {
 public:
  Planner(const Shape& shape, const UniformGaussian& gaussian, const BlurOptions& options,
          std::size_t size)
      : shape_(shape),
        gaussian_(gaussian),
        tolerance_(options.tolerance),
        ladder_((is_covariance() ? 1.0 : kShare) * tolerance_),
        rooms_(static_cast<std::size_t>(thread_limit(options.execution)) * kFilterRoom),
        size_(size) {
    if (!is_covariance()) return;
    const auto& p = gaussian.parameters();
    cov_ = logchol_to_cov(Logchol{p[0], p[1], p[2]});
  }

  bool is_covariance() const { return gaussian_.parameters().size() == 3; }

  UniformPlan exact() const {
    UniformPlan plan(ladder_);
    BlurReport& report = plan.report;
    report.error_bound = truncation_error(gaussian_);
    const auto& r = gaussian_.radius();
    const double split = size_ == 4 ? 1e-7 : 1e-14;
    const double cost = is_covariance()
                            ? kPass + kTap * covariance_taps(cov_, r[0], r[1], split)
                            : own_cost(shape_[2], r[0]) + own_cost(shape_[3], r[1]) + kTranspose;
    report.seconds = report.exact_seconds = seconds(cost);
    return plan;
  }

  // Levels along both axes, or one: what is cheapest of an image that has no ends, and so the same
  // for all its parts. Exact if there are none.
  UniformPlan separable() const {
    UniformPlan best(ladder_);
    double least = std::numeric_limits<double>::infinity();
    for (bool level_x : {true, false}) {
      for (bool level_y : {true, false}) {
        const UniformPlan plan = separable({level_y, level_x});
        const auto& axes = plan.axes;
        const double cost =
            axes_cost(axes, {endless_density(axes[0]), endless_density(axes[1])}, ladder_);
        if (plan.exact || cost >= least) continue;
        least = cost;
        best = plan;
      }
    }
    return best;
  }

  UniformPlan covariance() const {
    UniformPlan plan(ladder_);
    const Ladder& ladder = ladder_;
    const double minor = 0.5 * (cov_[0] + cov_[2]) - std::hypot(0.5 * (cov_[0] - cov_[2]), cov_[1]);
    const double reading = kReading * ladder.least;
    const double least = ladder.prefilter + reading + kCoarse * ladder.least;
    CovarianceLevel level{whole_step(std::sqrt(std::max(minor, 0.0)), least), reading, cov_};
    if (level.step == 1) return plan;
    const auto step = static_cast<double>(level.step);
    for (double& v : level.coarse) v /= step * step;
    level.coarse[0] -= ladder.prefilter + reading;
    level.coarse[2] -= ladder.prefilter + reading;
    const CovarianceAxis y(shape_[2], level, ladder, 0);
    const CovarianceAxis x(shape_[3], level, ladder, 1);
    const double tau = std::sqrt(reading);
    const double rows = static_cast<double>(y.outer.count) / static_cast<double>(shape_[2]);
    const double columns = static_cast<double>(x.outer.count) / static_cast<double>(shape_[3]);
    const double taps = covariance_taps(level.coarse, y.radius, x.radius, kSplit * tolerance_);
    plan.report.seconds =
        seconds(level_cost(shape_[2], level.step, rows, tau, ladder) +
                    rows * level_cost(shape_[3], level.step, columns, tau, ladder) +
                    rows * columns * (kPass + kTap * taps),
                2.0 * level_set_up(level.step));
    plan.report.bytes = bytes(2 * y.outer.count * x.outer.count + y.outer.count * shape_[3]);
    plan.report.steps = {step};
    plan.report.error_bound = kCovarianceSpent * tolerance_;
    plan.report.residual = 1.0;
    plan.covariance = level;
    plan.exact = false;
    return plan;
  }

 private:
  // With levels along those of the axes that have steps large enough.
  UniformPlan separable(const std::array<bool, 2>& levels) const {
    UniformPlan plan(ladder_);
    const Ladder& ladder = ladder_;
    for (std::size_t i = 0; i < 2; ++i) {
      const double sigma = gaussian_.sigma()[i];
      const Index step = levels[i] ? whole_step(sigma, ladder.least) : 1;
      plan.axes[i] = {shape_[i == 0 ? 2 : 3], sigma, sigma == 0 ? 0 : step, ladder.reach};
      if (step > 1) plan.report.steps.push_back(static_cast<double>(step));
    }
    auto& steps = plan.report.steps;
    plan.exact = steps.empty();
    if (plan.exact) return plan;
    std::sort(steps.begin(), steps.end());
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
    const AxisBlur& y = plan.axes[0];
    const AxisBlur& x = plan.axes[1];
    const Index rows = y.step > 1 ? samples_of(y, ladder).count : y.n;
    plan.report.seconds =
        seconds(axes_cost(plan.axes, {density(y, ladder), density(x, ladder)}, ladder),
                level_set_up(y.step) + level_set_up(x.step));
    const Index copies = y.step == 0 ? 0 : (y.step > 1 && x.step > 0 ? 2 : 1);
    plan.report.bytes = bytes(copies * rows * shape_[3]);
    plan.report.error_bound = ladder.spent;
    plan.report.stack = 1.0;
    return plan;
  }
  double seconds(double per_pixel, double levels = 0.0) const {
    const double wide = size_ == 4 ? 1.0 : 2.0;
    return 1e-9 * (kSetUp + levels + wide * per_pixel * static_cast<double>(shape_.elements()));
  }
  std::size_t bytes(Index pixels_of_plane) const {
    return static_cast<std::size_t>(shape_[0] * shape_[1] * pixels_of_plane) * size_ + rooms_;
  }

  Shape shape_;
  const UniformGaussian& gaussian_;
  double tolerance_;
  Ladder ladder_;
  std::size_t rooms_;
  std::size_t size_;
  Cov cov_{};
};

}  // namespace

template <class T>
UniformPlan plan_uniform(const char* operation, const Shape& shape, const UniformGaussian& gaussian,
                         const BlurOptions& options) {
  const BlurMethod method = options.method;
  const Planner planner(shape, gaussian, options, sizeof(T));
  require(method != BlurMethod::stack || !planner.is_covariance(), operation,
          "expected sigma or (sigma_y, sigma_x) for the stack, got logchol: residual does it");
  require(method != BlurMethod::residual || planner.is_covariance(), operation,
          "expected logchol for the residual method, got sigma: stack does it");
  UniformPlan exact = planner.exact();
  const bool set = options.truncate.has_value() || !options.radius.empty();
  exact.report.truncated =
      options.tolerance > 0 && set && exact.report.error_bound > options.tolerance;
  if (options.tolerance < kLeast<T> || exact.report.truncated || method == BlurMethod::exact) {
    return exact;
  }
  UniformPlan plan = planner.is_covariance() ? planner.covariance() : planner.separable();
  const double most = exact.report.exact_seconds;
  if (plan.exact || (method == BlurMethod::automatic && plan.report.seconds > most)) return exact;
  plan.report.exact = 0.0;
  plan.report.nodes = 1.0;
  plan.report.exact_seconds = most;
  return plan;
}

template UniformPlan plan_uniform<float>(const char*, const Shape&, const UniformGaussian&,
                                         const BlurOptions&);
template UniformPlan plan_uniform<double>(const char*, const Shape&, const UniformGaussian&,
                                          const BlurOptions&);

}  // namespace blurfield::detail
