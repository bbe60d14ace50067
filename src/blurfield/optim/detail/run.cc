// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/detail/run.h"

#include <algorithm>
#include <cmath>

namespace blurfield::detail {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct OutOfTime {};

}  // namespace

template <class T>
Run<T>::Run(const char* name, const Objective<T>& objective, std::span<T> x,
            const Bounds<T>& bounds, const MinimiseOptions<T>& options, bool keep_best)
    : name_(name),
      objective_(objective),
      options_(options),
      keep_best_(keep_best),
      box_(name, bounds, x.size()),
      scratch_((keep_best ? 4 : 3) * x.size()) {
  require(!x.empty(), name, "expected parameters, got none");
  require(static_cast<bool>(objective.evaluate), name, "expected an objective to evaluate");
  require(options.max_iterations >= 0, name, "expected max_iterations >= 0, got ",
          options.max_iterations);
  require(options.gradient_tolerance >= 0, name, "expected gradient_tolerance >= 0, got ",
          options.gradient_tolerance);
  require(options.change_tolerance >= 0, name, "expected change_tolerance >= 0, got ",
          options.change_tolerance);
  require(options.max_seconds >= 0, name, "expected max_seconds >= 0, got ", options.max_seconds);
  const auto part = [&](std::size_t i) { return scratch_.span().subspan(i * x.size(), x.size()); };
  points_ = {x, part(0), keep_best ? part(3) : std::span<T>{}};
  at_x_.gradient = part(1);
  at_trial_.gradient = part(2);
  result_.value = result_.gradient_norm = kNan;
  for (std::size_t i = 0; i < x.size(); ++i) {
    require(std::isfinite(x[i]), name, "expected a finite start, got ", x[i], " at ", i);
  }
  each(x.size(), options.threads, [&](Index i) {
    x[static_cast<std::size_t>(i)] = box_.clamp(i, x[static_cast<std::size_t>(i)]);
  });
}

template <class T>
MinimiseResult Run<T>::minimise(const std::function<void()>& iterate) {
  try {
    start();
    while (!stop_) iterate();
  } catch (const OutOfTime&) {
    stop_ = Stop::time;
  } catch (const Cancelled&) {
    stop_ = Stop::cancelled;
  } catch (...) {
    finish(Stop::no_descent);
    throw;
  }
  return finish(*stop_);
}

template <class T>
void Run<T>::start() {
  std::copy(x().begin(), x().end(), trial().begin());
  if (!evaluate()) fail();
  std::swap(at_x_, at_trial_);
  result_.value = value();
  result_.gradient_norm = gradient_norm();
  tell(std::numeric_limits<double>::infinity());
}

template <class T>
bool Run<T>::evaluate() {
  const bool at_start = result_.evaluations == 0;
  if (!at_start) check_clock();
  const T* at = trial().data();
  const T* g = at_trial_.gradient.data();
  const T* before = x().data();
  at_trial_.step = std::sqrt(sum(size(), threads(), [=](Index i) {
    const double d = static_cast<double>(at[i]) - static_cast<double>(before[i]);
    return d * d;
  }));
  if (!std::isfinite(at_trial_.step)) {
    trouble_ = message("a step of ", at_trial_.step);
    return false;
  }
  ++result_.evaluations;
  at_trial_.value = objective_.evaluate(trial(), at_trial_.gradient);
  const auto free_slope = [=, box = box_](Index i) {
    const double slope = static_cast<double>(g[i]);
    // 0 * infinity is NaN: a gradient that is not finite shows at a bound too.
    return std::abs(box.holds(i, at[i], g[i]) ? 0 * slope : slope);
  };
  const auto slope = [=](Index i) { return std::abs(static_cast<double>(g[i])); };
  at_trial_.gradient_norm =
      box_.bounded() ? largest(size(), threads(), free_slope) : largest(size(), threads(), slope);
  const bool finite = std::isfinite(at_trial_.value) && std::isfinite(at_trial_.gradient_norm);
  // That x itself is finite is no news.
  if (at_trial_.step > 0 || at_start) trouble_ = finite ? "" : trouble();
  return finite;
}

template <class T>
std::string Run<T>::trouble() const {
  if (!std::isfinite(at_trial_.value)) return message("value ", at_trial_.value);
  const auto bad = std::find_if(at_trial_.gradient.begin(), at_trial_.gradient.end(),
                                [](T g) { return !std::isfinite(g); });
  return message("gradient ", *bad, " at ", bad - at_trial_.gradient.begin());
}

template <class T>
void Run<T>::accept() {
  ++result_.iterations;
  const double change = std::abs(trial_value() - value());
  std::swap(current_, trial_);
  std::swap(at_x_, at_trial_);
  if (!keep_best_ || value() < result_.value) {
    best_ = current_;
    result_.value = value();
    result_.gradient_norm = gradient_norm();
  }
  if (keep_best_) {
    for (trial_ = 0; trial_ == current_ || trial_ == best_;) ++trial_;
  }
  tell(change);
}

template <class T>
void Run<T>::tell(double change) {
  const double now = seconds();
  if (options_.callback &&
      !options_.callback({result_.iterations, value(), gradient_norm(), at_x_.step, now, x()})) {
    stop_ = Stop::cancelled;
  } else if (gradient_norm() <= options_.gradient_tolerance) {
    stop_ = Stop::gradient;
  } else if (options_.change_tolerance > 0 &&
             change <= options_.change_tolerance * std::abs(value())) {
    stop_ = Stop::change;
  } else if (result_.iterations >= options_.max_iterations) {
    stop_ = Stop::iterations;
  } else if (now >= options_.max_seconds) {
    stop_ = Stop::time;
  }
}

template <class T>
void Run<T>::give_up() {
  if (!trouble_.empty()) fail();
  stop_ = Stop::no_descent;
}

template <class T>
void Run<T>::fail() const {
  const bool at_start = result_.evaluations == 1 && at_trial_.step == 0;
  throw Error(message(name_, ": iteration ", at_start ? 0 : result_.iterations + 1,
                      ": expected a finite objective, got ", trouble_,
                      at_start ? "" : " however short the step"));
}

template <class T>
void Run<T>::count_product() {
  check_clock();
  ++result_.products;
}

template <class T>
void Run<T>::check_clock() const {
  if (seconds() >= options_.max_seconds) throw OutOfTime{};
}

template <class T>
MinimiseResult Run<T>::finish(Stop stop) {
  const auto best = points_[best_];
  if (best_ != 0) std::copy(best.begin(), best.end(), points_[0].begin());
  result_.stop = stop;
  result_.seconds = seconds();
  return result_;
}

template <class T>
double Run<T>::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

template class Run<float>;
template class Run<double>;

}  // namespace blurfield::detail
