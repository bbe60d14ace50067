// SPDX-License-Identifier: BSD-3-Clause
// Writes a sigma map like that of a lens that is sharp in the middle, growing outwards with the
// distance from it, as a float image that `blurfield blur --sigma-map` takes:
//   lens_map OUT.tif HEIGHT WIDTH [MIDDLE CORNER]
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "blurfield/io/picture.h"
#include "examples/photographs.h"

int main(int argc, char** argv) try {
  using namespace blurfield;
  if (argc != 4 && argc != 6) {
    std::fprintf(stderr, "usage: lens_map OUT.tif HEIGHT WIDTH [MIDDLE CORNER]\n");
    return 2;
  }
  const double middle = argc == 6 ? std::atof(argv[4]) : 0.7;
  const double corner = argc == 6 ? std::atof(argv[5]) : 4.0;
  io::SaveOptions options;
  options.sample = io::Sample::f32;
  options.overwrite = true;
  const Shape shape{1, 1, std::atol(argv[2]), std::atol(argv[3])};
  io::save<float>(argv[1], examples::outward(shape, middle, corner), options);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "lens_map: %s\n", error.what());
  return 1;
}
