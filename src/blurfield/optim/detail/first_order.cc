// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/detail/first_order.h"

#include <cmath>

namespace blurfield::detail {

void check_moments(const char* name, double rate, const std::array<double, 2>& betas,
                   double epsilon) {
  require(rate > 0 && std::isfinite(rate), name, "expected rate > 0, got ", rate);
  for (double beta : betas) {
    require(beta >= 0 && beta < 1, name, "expected 0 <= betas < 1, got ", beta);
  }
  require(epsilon > 0 && std::isfinite(epsilon), name, "expected epsilon > 0, got ", epsilon);
}

template <class T>
MinimiseResult descend(Run<T>& run, const Update<T>& update) {
  constexpr int kHalvings = 30;
  UpdateStep step;
  return run.minimise([&] {
    ++step.t;
    const T* x = run.x().data();
    T* next = run.trial().data();
    parallel_slices(static_cast<Index>(run.size()), run.threads(), [&](Index begin, Index end) {
      update(step, begin, end, x, run.gradient().data(), next);
      if (!run.box().bounded()) return;
      for (Index i = begin; i < end; ++i) next[i] = run.box().clamp(i, next[i]);
    });
    step.kept = 1.0;
    for (int halving = 0; !run.evaluate(); ++halving) {
      if (halving == kHalvings) return run.give_up();
      step.kept /= 2;
      each(run.size(), run.threads(), [=](Index i) { next[i] = x[i] + (next[i] - x[i]) / 2; });
    }
    if (step.kept < 1 && run.trial_step() == 0) return run.give_up();
    run.accept();
  });
}

template MinimiseResult descend(Run<float>&, const Update<float>&);
template MinimiseResult descend(Run<double>&, const Update<double>&);

}  // namespace blurfield::detail
