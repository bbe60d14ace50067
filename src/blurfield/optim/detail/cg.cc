// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/detail/cg.h"

#include <cmath>

#include "blurfield/base/error.h"

namespace blurfield::detail {

template <class T>
CgSolver<T>::CgSolver(std::size_t size, int threads, bool preconditioned)
    : size_(size), threads_(threads), scratch_((preconditioned ? 4 : 3) * size) {
  const auto part = [&](std::size_t i) { return scratch_.span().subspan(i * size, size); };
  residual_ = part(0);
  direction_ = part(1);
  product_ = part(2);
  preconditioned_ = preconditioned ? part(3) : residual_;
}

template <class T>
double CgSolver<T>::apply(const char* name, const LinearOperator<T>& precondition) {
  if (precondition) precondition(residual_, preconditioned_);
  const double rz = dot<T>(residual_, preconditioned_, threads_);
  require(std::isfinite(rz) && rz >= 0, name,
          "expected a finite right side and a positive preconditioner, got r . M r = ", rz);
  return rz;
}

template <class T>
ConjugateGradientResult CgSolver<T>::solve(const char* name, const LinearOperator<T>& multiply,
                                           std::span<const T> b, std::span<T> x, bool from_zero,
                                           const ConjugateGradientOptions& options,
                                           const LinearOperator<T>& precondition) {
  T* r = residual_.data();
  T* p = direction_.data();
  T* q = product_.data();
  T* at = x.data();
  const T* z = preconditioned_.data();
  each(size_, threads_, [=](Index i) { r[i] = b[static_cast<std::size_t>(i)]; });
  double rz = apply(name, precondition);
  const double scale = std::sqrt(rz);
  if (from_zero || rz == 0) {
    each(size_, threads_, [=](Index i) { at[i] = T{0}; });
  } else {
    multiply(x, product_);
    each(size_, threads_, [=](Index i) { r[i] -= q[i]; });
    rz = apply(name, precondition);
  }
  each(size_, threads_, [=](Index i) { p[i] = z[i]; });
  ConjugateGradientResult result;
  for (;; ++result.iterations) {
    result.residual = rz > 0 ? std::sqrt(rz) / scale : 0.0;
    result.stop = ConjugateGradientStop::converged;
    if (result.residual <= options.tolerance) return result;
    result.stop = ConjugateGradientStop::iterations;
    if (result.iterations == options.max_iterations) return result;
    multiply(direction_, product_);
    const double pq = dot<T>(direction_, product_, threads_);
    require(std::isfinite(pq), name, "expected finite products, got v . A v = ", pq);
    result.stop = ConjugateGradientStop::indefinite;
    if (pq <= 0) return result;
    const auto step = static_cast<T>(rz / pq);
    const double rr = sum(size_, threads_, [=](Index i) {
      at[i] += step * p[i];
      r[i] -= step * q[i];
      return static_cast<double>(r[i]) * static_cast<double>(r[i]);
    });
    const double gain = rz / pq * rz / 2;
    const double before = rz;
    rz = precondition ? apply(name, precondition) : rr;
    if (gain * (result.iterations + 1) <= options.least_gain) {
      return {ConjugateGradientStop::converged, result.iterations + 1, std::sqrt(rz) / scale};
    }
    const auto share = static_cast<T>(rz / before);
    each(size_, threads_, [=](Index i) { p[i] = z[i] + share * p[i]; });
  }
}

template class CgSolver<float>;
template class CgSolver<double>;

}  // namespace blurfield::detail
