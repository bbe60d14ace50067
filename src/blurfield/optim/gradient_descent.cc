// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/gradient_descent.h"

#include <cmath>

#include "blurfield/optim/detail/first_order.h"

namespace blurfield {

template <class T>
MinimiseResult gradient_descent(const Objective<T>& objective, std::span<T> x,
                                const GradientDescentOptions<T>& options) {
  constexpr const char* kName = "gradient_descent";
  require(options.rate > 0 && std::isfinite(options.rate), kName, "expected rate > 0, got ",
          options.rate);
  require(options.momentum >= 0 && options.momentum < 1, kName, "expected 0 <= momentum < 1, got ",
          options.momentum);
  detail::Run<T> run(kName, objective, x, options.bounds, options, options.keep_best);
  const detail::Scratch<T> velocity(options.momentum > 0 ? x.size() : 0);
  const auto update = [&, b = options.momentum > 0 ? velocity.data() : nullptr](
                          const detail::UpdateStep& step, Index begin, Index end, const T* at,
                          const T* g, T* next) {
    const auto rate = static_cast<T>(options.rate);
    const auto momentum = static_cast<T>(options.momentum * step.kept);
    for (Index i = begin; i < end; ++i) {
      T way = g[i];
      if (b) way = b[i] = step.t == 1 ? g[i] : momentum * b[i] + g[i];
      next[i] = at[i] - rate * way;
    }
  };
  return detail::descend<T>(run, update);
}

template MinimiseResult gradient_descent(const Objective<float>&, std::span<float>,
                                         const GradientDescentOptions<float>&);
template MinimiseResult gradient_descent(const Objective<double>&, std::span<double>,
                                         const GradientDescentOptions<double>&);

}  // namespace blurfield
