// SPDX-License-Identifier: BSD-3-Clause
// Blurs an impulse by a sigma field and prints the mass that is left: all of it.
#include <blurfield/ops/adaptive_blur.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

int main() {
  blurfield::Image<double> x({1, 1, 65, 65});
  blurfield::Image<double> sigma(x.shape());
  std::fill_n(sigma.data(), sigma.elements(), 2.0);
  x.view().at(0, 0, 32, 32) = 1.0;
  const auto out = blurfield::adaptive_blur(x, sigma);
  std::printf("sum %.12f\n", std::accumulate(out.data(), out.data() + out.elements(), 0.0));
}
