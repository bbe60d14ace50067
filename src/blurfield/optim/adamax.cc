// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/adamax.h"

#include <algorithm>
#include <cmath>

#include "blurfield/optim/detail/first_order.h"

namespace blurfield {

template <class T>
MinimiseResult adamax(const Objective<T>& objective, std::span<T> x,
                      const AdamaxOptions<T>& options) {
  constexpr const char* kName = "adamax";
  detail::check_moments(kName, options.rate, options.betas, options.epsilon);
  detail::Run<T> run(kName, objective, x, options.bounds, options, options.keep_best);
  const detail::Scratch<T> mean(x.size());
  const detail::Scratch<T> largest(x.size());
  const double b1 = options.betas[0];
  const double b2 = options.betas[1];
  const auto add = static_cast<T>(1 - b1);
  const auto fade = static_cast<T>(b2);
  const auto epsilon = static_cast<T>(options.epsilon);
  const auto update = [&](const detail::UpdateStep& step, Index begin, Index end, const T* at,
                          const T* g, T* next) {
    T* m = mean.data();
    T* u = largest.data();
    if (step.t == 1) {
      std::fill(m + begin, m + end, T{0});
      std::fill(u + begin, u + end, T{0});
    }
    const auto keep = static_cast<T>(b1 * step.kept);
    const auto rate = static_cast<T>(options.rate / (1 - std::pow(b1, step.t)));
    for (Index i = begin; i < end; ++i) {
      m[i] = keep * m[i] + add * g[i];
      u[i] = std::max(fade * u[i], std::abs(g[i]) + epsilon);
      next[i] = at[i] - rate * (m[i] / u[i]);
    }
  };
  return detail::descend<T>(run, update);
}

template MinimiseResult adamax(const Objective<float>&, std::span<float>,
                               const AdamaxOptions<float>&);
template MinimiseResult adamax(const Objective<double>&, std::span<double>,
                               const AdamaxOptions<double>&);

}  // namespace blurfield
