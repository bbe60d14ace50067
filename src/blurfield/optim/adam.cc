// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/adam.h"

#include <algorithm>
#include <cmath>

#include "blurfield/optim/detail/first_order.h"

namespace blurfield {

template <class T>
MinimiseResult adam(const Objective<T>& objective, std::span<T> x, const AdamOptions<T>& options) {
  constexpr const char* kName = "adam";
  detail::check_moments(kName, options.rate, options.betas, options.epsilon);
  detail::Run<T> run(kName, objective, x, options.bounds, options, options.keep_best);
  const detail::Scratch<T> mean(x.size());
  const detail::Scratch<T> square(x.size());
  const double b1 = options.betas[0];
  const double b2 = options.betas[1];
  const auto add1 = static_cast<T>(1 - b1);
  const auto keep2 = static_cast<T>(b2);
  const auto add2 = static_cast<T>(1 - b2);
  const auto epsilon = static_cast<T>(options.epsilon);
  const auto update = [&](const detail::UpdateStep& step, Index begin, Index end, const T* at,
                          const T* g, T* next) {
    T* m = mean.data();
    T* v = square.data();
    if (step.t == 1) {
      std::fill(m + begin, m + end, T{0});
      std::fill(v + begin, v + end, T{0});
    }
    const auto keep1 = static_cast<T>(b1 * step.kept);
    const auto rate = static_cast<T>(options.rate / (1 - std::pow(b1, step.t)));
    const auto unbias = static_cast<T>(1 / std::sqrt(1 - std::pow(b2, step.t)));
    for (Index i = begin; i < end; ++i) {
      m[i] = keep1 * m[i] + add1 * g[i];
      v[i] = keep2 * v[i] + add2 * g[i] * g[i];
      next[i] = at[i] - rate * (m[i] / (unbias * std::sqrt(v[i]) + epsilon));
    }
  };
  return detail::descend<T>(run, update);
}

template MinimiseResult adam(const Objective<float>&, std::span<float>, const AdamOptions<float>&);
template MinimiseResult adam(const Objective<double>&, std::span<double>,
                             const AdamOptions<double>&);

}  // namespace blurfield
