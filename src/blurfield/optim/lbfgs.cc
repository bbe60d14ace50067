// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "blurfield/optim/detail/line.h"

namespace blurfield {
namespace {

using detail::Run;

// s = change of x, y = change of the gradient; their products are over the free parameters.
template <class T>
struct Pair {
  T* s = nullptr;
  T* y = nullptr;
  double sy = 0.0;
  double yy = 0.0;
  double alpha = 0.0;

  bool curved() const { return sy > std::numeric_limits<double>::epsilon() * yy; }
};

template <class T>
class Lbfgs {
 public:
  Lbfgs(Run<T>& run, int memory)
      : run_(run),
        vectors_((2 * static_cast<std::size_t>(memory) + (bounded() ? 2 : 1)) * run.size()),
        pairs_(static_cast<std::size_t>(memory)) {
    T* next = vectors_.data();
    const auto take = [&] { return std::exchange(next, next + run_.size()); };
    for (Pair<T>& pair : pairs_) {
      pair.s = take();
      pair.y = take();
    }
    direction_ = take();
    if (bounded()) free_ = take();
  }

  void iterate() {
    if (bounded()) mark_free();
    if (!search(choose_direction())) {
      // What the pairs tell may mislead: the plain gradient has the last word.
      count_ = 0;
      if (!search(choose_direction())) {
        return run_.give_up();
      }
    }
    remember();
    run_.accept();
  }

 private:
  bool bounded() const { return run_.box().bounded(); }

  // 1 for the parameters that may move, 0 for those that a bound holds.
  void mark_free() {
    const T* x = run_.x().data();
    const T* g = run_.gradient().data();
    const bool fresh = run_.first();
    const double changes = detail::sum(run_.size(), run_.threads(), [=, this](Index i) {
      const T now = run_.box().holds(i, x[i], g[i]) ? T{0} : T{1};
      const bool same = !fresh && free_[i] == now;
      free_[i] = now;
      return same ? 0.0 : 1.0;
    });
    if (changes == 0) return;
    for (std::size_t i = 0; i < count_; ++i) measure(pairs_[i]);
  }

  void measure(Pair<T>& pair) const {
    pair.sy = free_dot(pair.s, pair.y);
    pair.yy = free_dot(pair.y, pair.y);
  }
  double free_dot(const T* a, const T* b) const {
    return detail::sum(run_.size(), run_.threads(), [=, free = free_](Index i) {
      const double product = static_cast<double>(a[i]) * static_cast<double>(b[i]);
      return free ? product * static_cast<double>(free[i]) : product;
    });
  }

  // direction = scale (from + factor v) for the free parameters; returns its product with `with`.
  double sweep(double scale, const T* from, double factor, const T* v, const T* with) {
    const auto a = static_cast<T>(scale);
    const auto b = static_cast<T>(scale * factor);
    return detail::sum(run_.size(), run_.threads(), [=, to = direction_, free = free_](Index i) {
      T value = a * from[i] + b * v[i];
      if (free) value *= free[i];
      to[i] = value;
      return static_cast<double>(value) * static_cast<double>(with[i]);
    });
  }

  // direction = -H gradient by the two-loop recursion, each product computed in the pass that
  // makes its vector; returns the slope.
  double choose_direction() {
    std::vector<Pair<T>*>& used = used_;
    used.clear();
    for (std::size_t i = 0; i < count_; ++i) {
      if (pairs_[i].curved()) used.push_back(&pairs_[i]);
    }
    const T* g = run_.gradient().data();
    T* q = direction_;
    if (used.empty()) return sweep(-1.0, g, 0.0, g, g);
    double product = sweep(1.0, g, 0.0, g, used.front()->s);
    for (std::size_t i = 0; i < used.size(); ++i) {
      used[i]->alpha = product / used[i]->sy;
      const bool last = i + 1 == used.size();
      const double scale = last ? used.front()->sy / used.front()->yy : 1.0;
      product = sweep(scale, q, -used[i]->alpha, used[i]->y, last ? used[i]->y : used[i + 1]->s);
    }
    for (std::size_t i = used.size(); i-- > 0;) {
      const double beta = product / used[i]->sy;
      product = sweep(i == 0 ? -1.0 : 1.0, q, used[i]->alpha - beta, used[i]->s,
                      i == 0 ? g : used[i - 1]->y);
    }
    return product;
  }

  bool search(double slope) {
    const double first = used_.empty() && slope < 0 ? std::min(1.0, 1 / std::sqrt(-slope)) : 1.0;
    if (!bounded()) return detail::search_line(run_, direction_, slope, first);
    return detail::search_box(run_, direction_, slope, first);
  }

  void remember() {
    std::rotate(pairs_.begin(), pairs_.end() - 1, pairs_.end());
    Pair<T>& pair = pairs_.front();
    const T* before = run_.x().data();
    const T* after = run_.trial().data();
    const T* g_before = run_.gradient().data();
    const T* g_after = run_.trial_gradient().data();
    pair.sy = detail::sum(run_.size(), run_.threads(), [=, s = pair.s, y = pair.y](Index i) {
      s[i] = after[i] - before[i];
      y[i] = g_after[i] - g_before[i];
      return static_cast<double>(s[i]) * static_cast<double>(y[i]);
    });
    pair.yy = detail::dot<T>({pair.y, run_.size()}, {pair.y, run_.size()}, run_.threads());
    if (pair.curved()) {
      count_ = std::min(count_ + 1, pairs_.size());
      if (bounded()) measure(pair);
    } else {
      std::rotate(pairs_.begin(), pairs_.begin() + 1, pairs_.end());
      count_ = std::min(count_, pairs_.size() - 1);
    }
  }

  Run<T>& run_;
  detail::Scratch<T> vectors_;
  std::vector<Pair<T>> pairs_;  // newest first
  std::vector<Pair<T>*> used_;
  std::size_t count_ = 0;
  T* direction_ = nullptr;
  T* free_ = nullptr;
};

}  // namespace

template <class T>
MinimiseResult lbfgs(const Objective<T>& objective, std::span<T> x,
                     const LbfgsOptions<T>& options) {
  require(options.memory >= 1, "lbfgs", "expected memory >= 1, got ", options.memory);
  Run<T> run("lbfgs", objective, x, options.bounds, options);
  Lbfgs<T> method(run, options.memory);
  return run.minimise([&] { method.iterate(); });
}

template MinimiseResult lbfgs(const Objective<float>&, std::span<float>,
                              const LbfgsOptions<float>&);
template MinimiseResult lbfgs(const Objective<double>&, std::span<double>,
                              const LbfgsOptions<double>&);

}  // namespace blurfield
