// SPDX-License-Identifier: BSD-3-Clause
// Blurs an impulse by a sigma field, prints the mass that is left, all of it, and the sigma that an
// optimiser finds from both images.
#include <blurfield/autodiff/blur.h>
#include <blurfield/autodiff/elementwise.h>
#include <blurfield/autodiff/objective.h>
#include <blurfield/autodiff/reduce.h>
#include <blurfield/learn/estimate.h>
#include <blurfield/ops/adaptive_blur.h>
#include <blurfield/optim/lbfgs.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

using namespace blurfield;

int main() {
  Image<double> x({1, 1, 65, 65});
  Image<double> sigma(x.shape());
  std::fill_n(sigma.data(), sigma.elements(), 2.0);
  x.view().at(0, 0, 32, 32) = 1.0;
  const auto out = adaptive_blur(x, sigma);
  std::printf("sum %.12f\n", std::accumulate(out.data(), out.data() + out.elements(), 0.0));

  const auto loss = [&](const Var<double>& s) {
    return 1e3 * sum(square(uniform_blur(borrow(x), exp(s)) - borrow(out)));
  };
  double s = 0.5;
  lbfgs<double>(objective<double>(loss, {1}), {&s, 1});
  EstimateOptions options;
  options.model = BlurModel::uniform;
  const auto found = estimate<double>(x, out, options);
  std::printf("sigma %.4f %.4f\n", std::exp(s), found.field.data()[0]);
}
