// SPDX-License-Identifier: BSD-3-Clause
// Writes a full-covariance field that swirls around a point, as a float image with the three
// log-Cholesky channels a, b, c that `blurfield blur --logchol-map` takes:
//   swirl_map OUT.tif HEIGHT WIDTH [CENTRE_Y CENTRE_X]
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

#include "blurfield/io/picture.h"
#include "blurfield/ops/covariance.h"

namespace {

using blurfield::Image;
using blurfield::Index;

// The covariance (yy, yx, xx) at (dy, dx) from the centre: long along the swirl, short across.
blurfield::Cov swirl(double dy, double dx, double reach) {
  constexpr double kPitch = 0.25 * std::numbers::pi / 2;  // the swirl's turn away from a circle
  const double growth = std::hypot(dy, dx) / reach;
  const double along = 0.6 + 9.0 * growth;
  const double across = 0.6 + 0.6 * growth;
  const double angle = std::atan2(dy, dx) + std::numbers::pi / 2 - kPitch;
  const double ty = std::sin(angle);
  const double tx = std::cos(angle);
  const double more = along * along - across * across;
  return {across * across + more * ty * ty, more * ty * tx, across * across + more * tx * tx};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4 && argc != 6) {
    std::fprintf(stderr, "usage: swirl_map OUT.tif HEIGHT WIDTH [CENTRE_Y CENTRE_X]\n");
    return 2;
  }
  const Index height = std::atol(argv[2]);
  const Index width = std::atol(argv[3]);
  const double cy = argc == 6 ? std::atof(argv[4]) : static_cast<double>(height - 1) / 2;
  const double cx = argc == 6 ? std::atof(argv[5]) : static_cast<double>(width - 1) / 2;
  const double reach = std::hypot(static_cast<double>(height), static_cast<double>(width)) / 2;
  Image<float> field({1, 3, height, width});
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width; ++x) {
      const auto logchol = blurfield::cov_to_logchol(
          swirl(static_cast<double>(y) - cy, static_cast<double>(x) - cx, reach));
      for (Index c = 0; c < 3; ++c) {
        field.view().at(0, c, y, x) = static_cast<float>(logchol[static_cast<std::size_t>(c)]);
      }
    }
  }
  blurfield::io::SaveOptions options;
  options.sample = blurfield::io::Sample::f32;
  options.overwrite = true;
  blurfield::io::save<float>(argv[1], field, options);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "swirl_map: %s\n", error.what());
  return 1;
}
