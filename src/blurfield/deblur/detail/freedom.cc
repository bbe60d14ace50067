// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/detail/freedom.h"

#include <algorithm>
#include <cmath>

#include "blurfield/base/random.h"
#include "blurfield/optim/conjugate_gradient.h"

namespace blurfield::detail {
namespace {

template <class T>
std::span<T> flat(Image<T>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}

}  // namespace

template <class T>
double degrees_of_freedom(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
                          const Objective<T>& objective, std::span<const T> x,
                          const std::function<bool(T)>& held, int products, int threads) {
  const Execution execution{threads, {}};
  const auto release = [&](std::span<T> v) {
    if (!held) return;
    for (std::size_t i = 0; i < v.size(); ++i) {
      if (held(x[i])) v[i] = 0;
    }
  };
  // b = A^T sqrt(W) e for random signs e: its covariance is A^T W A.
  Image<T> b = Image<T>::uninitialised(blur.scene());
  {
    Image<T> predicted = Image<T>::uninitialised(blur.frame());
    blur.forward(View<const T>(x.data(), blur.scene()), predicted, execution);
    Image<T> probe = Image<T>::uninitialised(blur.frame());
    std::fill_n(probe.data(), probe.elements(), T{1});
    fidelity.curvature(predicted, probe);
    Random random(1);
    for (Index i = 0; i < probe.elements(); ++i) {
      const T root = std::sqrt(probe.data()[i]);
      probe.data()[i] = random.uniform() < 0.5 ? -root : root;
    }
    blur.adjoint(probe, b, execution);
  }
  release(flat(b));
  Image<T> z(blur.scene());
  ConjugateGradientOptions options;
  options.max_iterations = products;
  options.tolerance = 1e-4;
  options.threads = threads;
  conjugate_gradient<T>(
      [&](std::span<const T> v, std::span<T> product) {
        objective.hessian_product(x, v, product);
        release(product);
      },
      flat(b), flat(z), options);
  double sum = 0.0;
  for (Index i = 0; i < b.elements(); ++i) {
    sum += static_cast<double>(b.data()[i]) * static_cast<double>(z.data()[i]);
  }
  return sum;
}

template double degrees_of_freedom(const BlurOperator<float>&, const FidelityTerm<float>&,
                                   const Objective<float>&, std::span<const float>,
                                   const std::function<bool(float)>&, int, int);
template double degrees_of_freedom(const BlurOperator<double>&, const FidelityTerm<double>&,
                                   const Objective<double>&, std::span<const double>,
                                   const std::function<bool(double)>&, int, int);

}  // namespace blurfield::detail
