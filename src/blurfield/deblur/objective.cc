// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/objective.h"

#include <cstring>
#include <memory>

namespace blurfield {
namespace {

template <class T>
struct State {
  Image<T> frame;      // of the gradient: the fidelity's, by the prediction
  Image<T> predicted;  // A x of the products, for this x
  Image<T> x;
  ObjectiveParts at_x;
};

}  // namespace

template <class T>
Objective<T> deblur_objective(const BlurOperator<T>& blur, const FidelityTerm<T>& fidelity,
                              const PriorTerm<T>& prior, double lambda, int threads,
                              ObjectiveParts* parts) {
  require(lambda >= 0, "deblur_objective", "expected lambda >= 0, got ", lambda);
  const auto state = std::make_shared<State<T>>();
  state->frame = Image<T>::uninitialised(blur.frame());
  const Execution execution{threads, {}};
  Objective<T> result;
  result.evaluate = [=, &blur, &fidelity, &prior](std::span<const T> x, std::span<T> gradient) {
    const View<const T> scene(x.data(), blur.scene());
    blur.forward(scene, state->frame, execution);
    ObjectiveParts here;
    if (gradient.empty()) {
      here = {fidelity.value(state->frame), prior.value(scene)};
    } else {
      const double misfit = fidelity.gradient(state->frame);
      const View<T> to(gradient.data(), blur.scene());
      blur.adjoint(state->frame, to, execution);
      here = {misfit, prior.add_gradient(scene, lambda, to)};
    }
    if (parts != nullptr) *parts = here;
    return here.fidelity + lambda * here.prior;
  };
  result.hessian_product = [=, &blur, &fidelity, &prior](std::span<const T> x, std::span<const T> v,
                                                         std::span<T> product) {
    const View<const T> scene(x.data(), blur.scene());
    const View<const T> direction(v.data(), blur.scene());
    const View<T> to(product.data(), blur.scene());
    if (state->x.empty() || std::memcmp(state->x.data(), x.data(), x.size_bytes()) != 0) {
      if (state->x.empty()) {
        state->x = Image<T>::uninitialised(blur.scene());
        state->predicted = Image<T>::uninitialised(blur.frame());
      }
      copy<T>(scene, state->x);
      blur.forward(scene, state->predicted, execution);
      state->at_x = {fidelity.value(state->predicted), prior.value(scene)};
    }
    blur.forward(direction, state->frame, execution);
    fidelity.curvature(state->predicted, state->frame, state->at_x.fidelity);
    blur.adjoint(state->frame, to, execution);
    prior.add_product(scene, direction, lambda, to, state->at_x.prior);
  };
  return result;
}

template Objective<float> deblur_objective(const BlurOperator<float>&, const FidelityTerm<float>&,
                                           const PriorTerm<float>&, double, int, ObjectiveParts*);
template Objective<double> deblur_objective(const BlurOperator<double>&,
                                            const FidelityTerm<double>&, const PriorTerm<double>&,
                                            double, int, ObjectiveParts*);

}  // namespace blurfield
