// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/primal_dual.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "blurfield/base/check.h"
#include "blurfield/deblur/detail/lane_sum.h"
#include "blurfield/deblur/detail/penalty.h"
#include "blurfield/deblur/detail/row_sweep.h"
#include "blurfield/deblur/detail/spectral_penalty.h"

namespace blurfield {
namespace {

constexpr const char* kName = "primal_dual";
constexpr double kRelaxation = 1.9;
constexpr double kShareOfBlur = 0.3;  // of tau (sigma_A |A|^2 + sigma_D |D|^2); found by trying
constexpr int kLastBalance = 512;     // fixed steps from there on: convergence is certain

template <class T>
double squares(const T* p, Index count) {
  return detail::lane_sum(
      0, count, [p](Index i) { return static_cast<double>(p[i]) * static_cast<double>(p[i]); });
}

template <class T>
double squares(const Image<T>& image, int threads) {
  return parallel_sum(image.elements(), threads, [p = image.data()](Index begin, Index end) {
    return squares(p + begin, end - begin);
  });
}

// The dual q of lambda times the prior of D x, and its steps.
template <class D, class T, class Penalty>
class PriorDual {
 public:
  // `shrink` times |q|^2 / 2 is what the conjugate has beyond the ball of radius lambda.
  PriorDual(const Shape& scene, bool joint, double lambda, double shrink, const Penalty& penalty,
            int threads)
      : groups_{scene[0], scene[1], joint},
        scene_(scene),
        lambda_(static_cast<T>(lambda)),
        shrink_(shrink),
        penalty_(penalty),
        threads_(threads),
        dual_({scene[0], scene[1] * D::kComponents, scene[2], scene[3]}) {}

  static constexpr double kSquaredNorm = D::kSquaredNorm;

  // q moves through the proximal point of q + sigma D (2 ahead - behind) and beyond. Returns the
  // square of the distance to that point.
  double step(const View<const T>& ahead, const View<const T>& behind, double sigma) {
    const Index size = planes() * scene_[3];
    const auto rate = static_cast<T>(sigma);
    const auto shrink = static_cast<T>(1 / (1 + sigma * shrink_));
    const auto relaxation = static_cast<T>(kRelaxation);
    const View<T> nowhere;
    return detail::sweep_rows<D, T>(
        scene_, groups_.joint, planes(), threads_,
        [&](Index group, Index y, T* rows, T* work) {
          T* before = work + 2 * scene_[3];
          T* q = row(group, y);
          detail::difference_rows<D>(ahead, groups_, group, y, rows);
          detail::difference_rows<D>(behind, groups_, group, y, before);
          for (Index i = 0; i < size; ++i) {
            rows[i] = shrink * (q[i] + rate * (2 * rows[i] - before[i]));
          }
          penalty_.project(rows, lambda_, scene_[3], work);
          for (Index i = 0; i < size; ++i) {
            rows[i] -= q[i];
            q[i] += relaxation * rows[i];
          }
          return squares(rows, size);
        },
        T{0}, nowhere);
  }

  // out += D^T q
  void add_adjoint(const View<T>& out) const {
    detail::sweep_rows<D, T>(
        scene_, groups_.joint, 0, threads_,
        [&](Index group, Index y, T* rows, T* /*work*/) {
          std::copy_n(row(group, y), planes() * scene_[3], rows);
          return 0.0;
        },
        T{1}, out);
  }

 private:
  Index planes() const { return groups_.width() * D::kComponents; }
  const T* row(Index group, Index y) const {
    return dual_.data() + (group * scene_[2] + y) * planes() * scene_[3];
  }
  T* row(Index group, Index y) { return const_cast<T*>(std::as_const(*this).row(group, y)); }

  detail::Groups groups_;
  Shape scene_;
  T lambda_;
  double shrink_;
  Penalty penalty_;
  int threads_;
  Image<T> dual_;
};

// Of no prior.
template <class T>
struct NoDual {
  static constexpr double kSquaredNorm = 0.0;
  double step(const View<const T>& /*ahead*/, const View<const T>& /*behind*/, double /*sigma*/) {
    return 0.0;
  }
  void add_adjoint(const View<T>& /*out*/) const {}
};

template <class T, class Dual>
class PrimalDual {
 public:
  PrimalDual(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
             const PriorTerm<T>& prior, double lambda, const View<T>& x,
             const PrimalDualOptions<T>& options, Dual dual)
      : blur_(blur),
        fidelity_(fidelity),
        prior_(prior),
        lambda_(lambda),
        x_(x),
        options_(options),
        execution_{options.threads, {}},
        dual_(std::move(dual)),
        frame_dual_(blur.frame()),
        pull_(Image<T>(blur.scene())),
        seen_(Image<T>::uninitialised(blur.frame())),
        ahead_(Image<T>::uninitialised(blur.frame())) {
    each([this](Index i) { x_.data[i] = clamp(x_.data[i]); });
    state_ = Image<T>(View<const T>(x_));
    norm_ = blur.norm_bound(execution_);
    share_ = Dual::kSquaredNorm > 0 ? kShareOfBlur : 1.0;
    blur_.forward(x_, ahead_, execution_);
    first_ratio();
    copy<T>(ahead_, seen_);
    result_.value = value();
    result_.evaluations = 1;
  }

  MinimiseResult run() {
    double step = 0.0;
    while (!stops(step)) {
      step = std::sqrt(move_scene());
      blur_.forward(x_, ahead_, execution_);
      ++result_.iterations;
      ++result_.evaluations;
      result_.value = value();
      const double differences = dual_.step(x_, state_.view(), step_of_differences());
      relax_scene();
      move_frame_dual();
      const int k = result_.iterations;
      if (k >= 8 && k <= kLastBalance && (k & (k - 1)) == 0) balance(differences);
      blur_.adjoint(frame_dual_, pull_, execution_);
      dual_.add_adjoint(pull_);
    }
    result_.seconds = seconds();
    return result_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // tau, and the steps of the duals of A x and D x.
  double step_of_scene() const { return std::sqrt(share_) / ratio_; }
  double step_of_frame() const { return share_ / (step_of_scene() * norm_ * norm_); }
  double step_of_differences() const {
    return (1 - share_) / (step_of_scene() * std::max(Dual::kSquaredNorm, 1.0));
  }

  T clamp(T v) const {
    if (options_.lower) v = std::max(v, static_cast<T>(*options_.lower));
    return options_.upper ? std::min(v, static_cast<T>(*options_.upper)) : v;
  }
  template <class F>
  void each(const F& f) const {
    parallel_slices(x_.shape.elements(), options_.threads, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) f(i);
    });
  }
  template <class F>
  double sum(Index count, const F& f) const {
    return parallel_sum(count, options_.threads,
                        [&](Index begin, Index end) { return detail::lane_sum(begin, end, f); });
  }

  double value() const {
    ObjectiveParts parts{fidelity_.value(ahead_), 0.0};
    if (lambda_ > 0 && prior_.active()) parts.prior = prior_.value(x_, false);
    if (options_.parts) *options_.parts = parts;
    return parts.fidelity + lambda_ * parts.prior;
  }

  // A guess: the frame's dual grows to the root of the fidelity's curvature, and the scene moves by
  // a third of its contrast or by most of what the fidelity alone asks for.
  void first_ratio() {
    const auto mean_of = [&](Index count, const auto& f) {
      return sum(count, f) / static_cast<double>(count);
    };
    const auto square = [](T v, double origin) {
      const double d = static_cast<double>(v) - origin;
      return d * d;
    };
    std::fill_n(seen_.data(), seen_.elements(), T{1});
    fidelity_.curvature(ahead_, seen_);
    const T* frame = seen_.data();
    const Index pixels = seen_.elements();
    const double curvature =
        mean_of(pixels, [=](Index i) { return static_cast<double>(frame[i]); });
    copy<T>(ahead_, seen_);
    fidelity_.gradient(seen_);
    const double slope = mean_of(pixels, [=](Index i) { return square(frame[i], 0.0); });
    const T* x = x_.data;
    const Index count = x_.shape.elements();
    const double mean = mean_of(count, [=](Index i) { return static_cast<double>(x[i]); });
    const double variance = mean_of(count, [=](Index i) { return square(x[i], mean); });
    const double move = variance / 4 + slope / (curvature * curvature);
    ratio_ = norm_ * std::sqrt(2 * curvature / move);
    if (!(ratio_ > 0 && std::isfinite(ratio_))) ratio_ = 1.0;
  }

  // Brings the last moves of scene and duals, each measured by its step, to the same length.
  // `differences` is the square of how far the prior's dual moved.
  void balance(double differences) {
    double duals = frame_dual_moved_ / step_of_frame();
    if (Dual::kSquaredNorm > 0) duals += differences / step_of_differences();
    const double factor = std::sqrt(duals * step_of_scene() / scene_moved_);
    if (!std::isnan(factor)) ratio_ *= std::clamp(factor, 0.25, 4.0);
  }

  // x = the projected step from the state; returns the square of x's change.
  double move_scene() {
    const auto tau = static_cast<T>(step_of_scene());
    return sum(x_.shape.elements(),
               [=, this, x = x_.data, from = state_.data(), pull = pull_.data()](Index i) {
                 const T next = clamp(from[i] - tau * pull[i]);
                 const double d = static_cast<double>(next) - static_cast<double>(x[i]);
                 x[i] = next;
                 return d * d;
               });
  }

  // The state moves through x and beyond.
  void relax_scene() {
    const auto relaxation = static_cast<T>(kRelaxation);
    scene_moved_ = sum(x_.shape.elements(), [=, x = x_.data, to = state_.data()](Index i) {
      const T d = x[i] - to[i];
      to[i] += relaxation * d;
      return static_cast<double>(d) * static_cast<double>(d);
    });
  }

  // The same of the dual of A x and the proximal point of it + sigma A (2 x - state before).
  void move_frame_dual() {
    const double sigma = step_of_frame();
    const auto rate = static_cast<T>(sigma);
    const auto relaxation = static_cast<T>(kRelaxation);
    const Index count = seen_.elements();
    parallel_slices(count, options_.threads,
                    [=, p = frame_dual_.data(), seen = seen_.data(), ahead = ahead_.data()](
                        Index begin, Index end) {
                      for (Index i = begin; i < end; ++i) {
                        const T next = ahead[i];
                        ahead[i] = p[i] + rate * (2 * next - seen[i]);
                        seen[i] += relaxation * (next - seen[i]);
                      }
                    });
    fidelity_.conjugate_step(ahead_, sigma);
    frame_dual_moved_ = sum(count, [=, p = frame_dual_.data(), to = ahead_.data()](Index i) {
      const T d = to[i] - p[i];
      p[i] += relaxation * d;
      return static_cast<double>(d) * static_cast<double>(d);
    });
  }

  // Whether neither scene nor dual moved by more than the tolerance allows.
  bool still() const {
    const double most = options_.change_tolerance * options_.change_tolerance;
    return result_.iterations > 0 && most > 0 &&
           scene_moved_ <= most * squares(state_, options_.threads) &&
           frame_dual_moved_ <= most * squares(frame_dual_, options_.threads);
  }

  bool stops(double step) {
    const double now = seconds();
    const std::span<const T> flat(x_.data, static_cast<std::size_t>(x_.shape.elements()));
    if (options_.callback &&
        !options_.callback({result_.iterations, result_.value, 0.0, step, now, flat})) {
      result_.stop = Stop::cancelled;
    } else if (still()) {
      result_.stop = Stop::change;
    } else if (result_.iterations >= options_.max_iterations) {
      result_.stop = Stop::iterations;
    } else if (now >= options_.max_seconds) {
      result_.stop = Stop::time;
    } else {
      return false;
    }
    return true;
  }

  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - clock_start_).count();
  }

  const BlurOperator<T>& blur_;
  const FidelityTerm<T>& fidelity_;
  const PriorTerm<T>& prior_;
  double lambda_;
  View<T> x_;  // within the box
  const PrimalDualOptions<T>& options_;
  const Execution execution_;
  const Clock::time_point clock_start_ = Clock::now();
  Dual dual_;
  Image<T> frame_dual_;
  Image<T> state_;  // x, over-relaxed
  Image<T> pull_;   // A^T of the frame's dual + D^T of the prior's
  Image<T> seen_;   // A state
  Image<T> ahead_;  // A x
  double norm_ = 1.0;
  double share_ = 1.0;
  double ratio_ = 1.0;        // of dual by primal steps, the root
  double scene_moved_ = 0.0;  // in the last iteration, squared
  double frame_dual_moved_ = 0.0;
  MinimiseResult result_;
};

template <class T>
void check(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity, const PriorTerm<T>& prior,
           double lambda, const View<T>& x, const PrimalDualOptions<T>& options) {
  require(fidelity.options().kind != Fidelity::norm, kName,
          "expected gaussian, huber or poisson fidelity, got ",
          fidelity_name(fidelity.options().kind));
  const Prior kind = prior.options().kind;
  require(
      kind == Prior::none || kind == Prior::tv || kind == Prior::huber_tv || kind == Prior::hessian,
      kName, "expected the prior none, tv, huber-tv or hessian, got ", prior_name(kind));
  require(lambda >= 0 && std::isfinite(lambda), kName, "expected a finite lambda >= 0, got ",
          lambda);
  require(options.max_iterations >= 0, kName, "expected max_iterations >= 0, got ",
          options.max_iterations);
  require(options.change_tolerance >= 0, kName, "expected change_tolerance >= 0, got ",
          options.change_tolerance);
  require(options.max_seconds >= 0, kName, "expected max_seconds >= 0, got ", options.max_seconds);
  const double lower = options.lower.value_or(-std::numeric_limits<double>::infinity());
  const double upper = options.upper.value_or(std::numeric_limits<double>::infinity());
  require(lower <= upper, kName, "expected lower <= upper, got ", lower, " and ", upper);
  detail::check_same_shape(kName, "scene", x.shape, blur.scene());
  require(x.stride == View<T>(x.data, x.shape).stride, kName, "expected a packed scene");
  detail::check_finite<T>(kName, "scene", x, {options.threads, {}});
}

}  // namespace

template <class T>
MinimiseResult primal_dual(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
                           const PriorTerm<T>& prior, double lambda, const View<T>& x,
                           const PrimalDualOptions<T>& options) {
  using detail::FirstDifferences;
  using detail::SecondDifferences;
  check(blur, fidelity, prior, lambda, x, options);
  const auto solve = [&](auto dual) {
    return PrimalDual<T, decltype(dual)>(blur, fidelity, prior, lambda, x, options, std::move(dual))
        .run();
  };
  const PriorOptions& own = prior.options();
  if (own.kind == Prior::none || lambda == 0) return solve(NoDual<T>{});
  if (own.kind == Prior::hessian) {
    using Penalty = detail::SpectralPenalty<T>;
    return solve(PriorDual<SecondDifferences, T, Penalty>(blur.scene(), false, lambda, 0.0,
                                                          Penalty{T{0}, 1}, options.threads));
  }
  using Penalty = detail::NormPenalty<T, detail::Huber<T>>;
  const Index planes = FirstDifferences::kComponents * (own.joint ? blur.scene()[1] : 1);
  const double shrink = own.kind == Prior::huber_tv ? own.scale / lambda : 0.0;
  return solve(PriorDual<FirstDifferences, T, Penalty>(blur.scene(), own.joint, lambda, shrink,
                                                       Penalty{{T{1}}, planes}, options.threads));
}

#define BLURFIELD_INSTANTIATE(T)                                                      \
  template MinimiseResult primal_dual(const BlurOperator<T>&, const FidelityTerm<T>&, \
                                      const PriorTerm<T>&, double, const View<T>&,    \
                                      const PrimalDualOptions<T>&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
