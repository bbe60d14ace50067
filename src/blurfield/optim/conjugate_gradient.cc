// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/conjugate_gradient.h"

#include "blurfield/base/error.h"
#include "blurfield/optim/detail/cg.h"

namespace blurfield {

template <class T>
ConjugateGradientResult conjugate_gradient(const LinearOperator<T>& multiply, std::span<const T> b,
                                           std::span<T> x, const ConjugateGradientOptions& options,
                                           const LinearOperator<T>& precondition) {
  constexpr const char* kName = "conjugate_gradient";
  require(static_cast<bool>(multiply), kName, "expected an operator to multiply with");
  require(b.size() == x.size(), kName, "expected b of x's ", x.size(), " elements, got ", b.size());
  require(options.max_iterations >= 0, kName, "expected max_iterations >= 0, got ",
          options.max_iterations);
  require(options.tolerance >= 0, kName, "expected tolerance >= 0, got ", options.tolerance);
  detail::CgSolver<T> solver(x.size(), options.threads, static_cast<bool>(precondition));
  const bool from_zero = std::all_of(x.begin(), x.end(), [](T v) { return v == 0; });
  return solver.solve(kName, multiply, b, x, from_zero, options, precondition);
}

template ConjugateGradientResult conjugate_gradient(const LinearOperator<float>&,
                                                    std::span<const float>, std::span<float>,
                                                    const ConjugateGradientOptions&,
                                                    const LinearOperator<float>&);
template ConjugateGradientResult conjugate_gradient(const LinearOperator<double>&,
                                                    std::span<const double>, std::span<double>,
                                                    const ConjugateGradientOptions&,
                                                    const LinearOperator<double>&);

}  // namespace blurfield
