// SPDX-License-Identifier: BSD-3-Clause
// All optimisers behind one signature.
#pragma once

#include <string>
#include <vector>

#include "blurfield/optim/adam.h"
#include "blurfield/optim/adamax.h"
#include "blurfield/optim/fista.h"
#include "blurfield/optim/gauss_newton.h"
#include "blurfield/optim/gradient_descent.h"
#include "blurfield/optim/lbfgs.h"
#include "blurfield/optim/newton_cg.h"
#include "tests/support/problems.h"

namespace blurfield::test {

template <class T>
struct Optimiser {
  std::string name;
  std::function<MinimiseResult(const Problem<T>&, std::span<T> x, const MinimiseOptions<T>&)> run;
};

template <class Options, class T>
Options with(const MinimiseOptions<T>& common) {
  Options options;
  static_cast<MinimiseOptions<T>&>(options) = common;
  return options;
}

// `rate` is that of the first-order ones.
template <class T>
std::vector<Optimiser<T>> optimisers(double rate, bool keep_best = false) {
  using Common = MinimiseOptions<T>;
  const auto first_order = [=](auto options) {
    options.rate = rate;
    options.keep_best = keep_best;
    return options;
  };
  return {{"gradient_descent",
           [=](const Problem<T>& p, std::span<T> x, const Common& common) {
             return gradient_descent<T>(p.objective, x,
                                        first_order(with<GradientDescentOptions<T>>(common)));
           }},
          {"adam",
           [=](const Problem<T>& p, std::span<T> x, const Common& common) {
             return adam<T>(p.objective, x, first_order(with<AdamOptions<T>>(common)));
           }},
          {"adamax",
           [=](const Problem<T>& p, std::span<T> x, const Common& common) {
             return adamax<T>(p.objective, x, first_order(with<AdamaxOptions<T>>(common)));
           }},
          {"lbfgs",
           [](const Problem<T>& p, std::span<T> x, const Common& common) {
             return lbfgs<T>(p.objective, x, with<LbfgsOptions<T>>(common));
           }},
          {"newton_cg",
           [](const Problem<T>& p, std::span<T> x, const Common& common) {
             return newton_cg<T>(p.objective, x, with<NewtonCgOptions<T>>(common));
           }},
          {"fista",
           [=](const Problem<T>& p, std::span<T> x, const Common& common) {
             auto options = with<FistaOptions<T>>(common);
             options.lipschitz = 2 / rate;  // certified where gradient descent converges
             return fista<T>(p.objective, x, options);
           }},
          {"gauss_newton", [](const Problem<T>& p, std::span<T> x, const Common& common) {
             return gauss_newton<T>(p.objective, p.curvature, x,
                                    with<GaussNewtonOptions<T>>(common));
           }}};
}

}  // namespace blurfield::test
