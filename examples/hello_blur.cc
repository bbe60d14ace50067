// SPDX-License-Identifier: BSD-3-Clause
// Ten lines: a single bright pixel, blurred uniformly and with a sigma that grows to the right.
#include <cstdio>

#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/uniform_blur.h"

int main() {
  using namespace blurfield;
  Image<float> image({1, 1, 9, 9});   // batch, channels, height, width
  Image<float> sigmas({1, 1, 9, 9});  // a Gaussian for every pixel, here in pixels
  image.view().at(0, 0, 4, 4) = 1;
  for (Index y = 0; y < 9; ++y) {
    for (Index x = 0; x < 9; ++x)
      sigmas.view().at(0, 0, y, x) = 0.4f + 0.2f * static_cast<float>(x);
  }
  const double sigma[] = {1.0};
  const Image<float> uniform = uniform_blur<float>(image, sigma);
  const Image<float> adaptive = adaptive_blur<float>(image, sigmas);
  for (const Image<float>* blurred : {&uniform, &adaptive}) {
    for (Index x = 0; x < 9; ++x) {
      std::printf("%.3f ", static_cast<double>(blurred->view().at(0, 0, 4, x)));
    }
    std::printf("\n");
  }
}
