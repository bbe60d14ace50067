// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/fista.h"

#include <algorithm>
#include <cmath>

#include "blurfield/optim/detail/run.h"

namespace blurfield {
namespace {

using detail::Run;

template <class T>
class Fista {
 public:
  Fista(Run<T>& run, double lipschitz)
      : run_(run), lipschitz_(lipschitz), mean_(run.size()), step_(run.size()) {
    restart(run.x().data());
  }

  void iterate() {
    constexpr int kHalvings = 30;
    if (advance() > 0) restart(mean_.data());
    const T* x = run_.x().data();
    T* next = run_.trial().data();
    int halvings = 0;
    for (; !run_.evaluate(); ++halvings) {
      if (halvings == kHalvings) return run_.give_up();
      detail::each(run_.size(), run_.threads(),
                   [=](Index i) { next[i] = x[i] + (next[i] - x[i]) / 2; });
    }
    if (halvings > 0) {
      if (run_.trial_step() == 0) return run_.give_up();
      restart(next);
    }
    run_.accept();
  }

 private:
  // Moves z and x, and writes the next y. Returns how far the step along the projected gradient at
  // y is against the move of x: > 0 where the momentum climbs.
  double advance() {
    const double t = t_;
    t_ = (std::sqrt(t * t + 4) - t) * t / 2;  // (1 - t_) / t_^2 = 1 / t^2
    const auto now = static_cast<T>(t);
    const auto then = static_cast<T>(t_);
    const auto rate = static_cast<T>(1 / (t * lipschitz_));
    return detail::sum(run_.size(), run_.threads(),
                       [=, y = run_.x().data(), g = run_.gradient().data(), x = mean_.data(),
                        z = step_.data(), next = run_.trial().data(), &box = run_.box()](Index i) {
                         const T before = x[i];
                         z[i] = box.clamp(i, z[i] - rate * g[i]);
                         x[i] = before + now * (z[i] - before);
                         next[i] = x[i] + then * (z[i] - x[i]);
                         return (static_cast<double>(y[i]) - static_cast<double>(x[i])) *
                                (static_cast<double>(x[i]) - static_cast<double>(before));
                       });
  }

  // Goes on from there, without momentum; the next y too.
  void restart(const T* from) {
    t_ = 1.0;
    for (T* to : {mean_.data(), step_.data(), run_.trial().data()}) {
      if (to == from) continue;
      detail::each(run_.size(), run_.threads(), [=](Index i) { to[i] = from[i]; });
    }
  }

  Run<T>& run_;
  double lipschitz_;
  double t_ = 1.0;
  detail::Scratch<T> mean_;  // x
  detail::Scratch<T> step_;  // z
};

}  // namespace

template <class T>
MinimiseResult fista(const Objective<T>& objective, std::span<T> x,
                     const FistaOptions<T>& options) {
  require(options.lipschitz > 0 && std::isfinite(options.lipschitz), "fista",
          "expected a finite lipschitz > 0, got ", options.lipschitz);
  Run<T> run("fista", objective, x, options.bounds, options);
  Fista<T> method(run, options.lipschitz);
  return run.minimise([&] { method.iterate(); });
}

template MinimiseResult fista(const Objective<float>&, std::span<float>,
                              const FistaOptions<float>&);
template MinimiseResult fista(const Objective<double>&, std::span<double>,
                              const FistaOptions<double>&);

}  // namespace blurfield
