// SPDX-License-Identifier: BSD-3-Clause
// One run of an optimiser: the bookkeeping that all share. The optimiser writes its next point to
// trial(), has it evaluated and accepts it or writes another; the rest (the callback, the clock,
// the rules that stop, points that are not finite) happens here.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "blurfield/optim/detail/box.h"
#include "blurfield/optim/detail/vector_work.h"

namespace blurfield::detail {

template <class T>
class Run {
 public:
  // `name` starts the messages of errors. Throws Error for options out of range.
  Run(const char* name, const Objective<T>& objective, std::span<T> x, const Bounds<T>& bounds,
      const MinimiseOptions<T>& options, bool keep_best = false);

  // Evaluates the start, then calls `iterate` until something stops the run. Leaves the result in
  // the x of the constructor, also where an exception passes through.
  MinimiseResult minimise(const std::function<void()>& iterate);

  std::span<const T> x() const { return points_[current_]; }
  std::span<const T> gradient() const { return at_x_.gradient; }
  double value() const { return at_x_.value; }
  double gradient_norm() const { return at_x_.gradient_norm; }
  bool first() const { return result_.iterations == 0; }
  std::size_t size() const { return points_[0].size(); }
  int threads() const { return options_.threads; }
  const Box<T>& box() const { return box_; }

  // Where the next point is written.
  std::span<T> trial() const { return points_[trial_]; }
  // Whether trial(), and value and gradient there, are finite.
  bool evaluate();
  double trial_step() const { return at_trial_.step; }  // |trial - x|
  double trial_value() const { return at_trial_.value; }
  double trial_gradient_norm() const { return at_trial_.gradient_norm; }
  std::span<const T> trial_gradient() const { return at_trial_.gradient; }

  // Makes the evaluated trial() the current x; ends the iteration.
  void accept();
  // Ends the run: no point lower than x was found. Throws Error if there was no value
  // at the last one tried.
  void give_up();
  // Counts a Hessian or curvature product that is about to be computed; may end the run.
  void count_product();

 private:
  using Clock = std::chrono::steady_clock;
  struct Evaluation {
    std::span<T> gradient;
    double value = 0.0;
    double gradient_norm = 0.0;
    double step = 0.0;  // Euclidean distance from the point before
  };

  void start();
  std::string trouble() const;
  [[noreturn]] void fail() const;
  void tell(double change);
  void check_clock() const;
  MinimiseResult finish(Stop stop);
  double seconds() const;

  const char* name_;
  const Objective<T>& objective_;
  const MinimiseOptions<T>& options_;
  const bool keep_best_;
  const Clock::time_point start_ = Clock::now();
  Box<T> box_;
  Scratch<T> scratch_;
  // The user's x first. Current, trial and best are roles that they take in turn.
  std::array<std::span<T>, 3> points_;
  std::size_t current_ = 0;
  std::size_t trial_ = 1;
  std::size_t best_ = 0;
  Evaluation at_x_;
  Evaluation at_trial_;
  MinimiseResult result_;  // value and gradient norm are those of the best
  std::optional<Stop> stop_;
  std::string trouble_;  // what was not finite at the last point tried other than x
};

}  // namespace blurfield::detail
