// SPDX-License-Identifier: BSD-3-Clause
// Makes examples/images/astronaut_sigma.png, the map that grows from the face outwards:
//   depth_map OUT.png
// Ellipses stand for head and body. Inside them the map rises a little with the distance from the
// face; outside it rises smoothly to 1 (white) with the distance from the silhouette.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "blurfield/io/picture.h"

namespace {

using blurfield::Image;
using blurfield::Index;

constexpr Index kSide = 512;  // of examples/images/astronaut.png

struct Ellipse {
  double y, x, ry, rx;
};
constexpr Ellipse kFace{115, 228, 90, 74};
constexpr std::array<Ellipse, 4> kBody = {kFace, Ellipse{230, 208, 72, 100},
                                          Ellipse{445, 195, 225, 168}, Ellipse{470, 390, 130, 118}};

double smooth_step(double t) {
  const double u = std::clamp(t, 0.0, 1.0);
  return u * u * (3 - 2 * u);
}

// About the distance in pixels outside an ellipse, negative inside.
double distance(const Ellipse& e, double y, double x) {
  return (std::hypot((y - e.y) / e.ry, (x - e.x) / e.rx) - 1) * std::min(e.ry, e.rx);
}

double map_value(double y, double x) {
  constexpr double kBlend = 14;  // pixels over which neighbouring ellipses melt into each other
  double sum = 0;
  for (const Ellipse& e : kBody) sum += std::exp(-distance(e, y, x) / kBlend);
  const double outside = -kBlend * std::log(sum);
  const double from_face = smooth_step(distance(kFace, y, x) / 400);
  return std::min(1.0, 0.12 * from_face + 0.88 * smooth_step((outside + 8) / 190));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: depth_map OUT.png\n");
    return 2;
  }
  Image<float> map({1, 1, kSide, kSide});
  for (Index y = 0; y < kSide; ++y) {
    for (Index x = 0; x < kSide; ++x) {
      const double value = map_value(static_cast<double>(y), static_cast<double>(x));
      // Twelve of the sixteen bits: fine enough to leave no steps, and a small file.
      map.view().at(0, 0, y, x) = static_cast<float>(std::round(4095 * value) * 16 / 65535);
    }
  }
  blurfield::io::SaveOptions options;
  options.sample = blurfield::io::Sample::u16;
  options.overwrite = true;
  blurfield::io::save<float>(argv[1], map, options);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "depth_map: %s\n", error.what());
  return 1;
}
