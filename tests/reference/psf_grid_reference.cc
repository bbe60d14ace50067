// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/psf_grid_reference.h"

#include <cmath>
#include <numbers>

namespace blurfield::test {

double raised_cosine(Index cell, Index cells, Index p, Index n) {
  const double size = static_cast<double>(n) / static_cast<double>(cells);
  const double centre = (static_cast<double>(cell) + 0.5) * size;
  const double away = (static_cast<double>(p) + 0.5 - centre) / size;
  if ((cell == 0 && away <= 0) || (cell == cells - 1 && away >= 0)) return 1.0;
  return std::abs(away) >= 1 ? 0.0 : 0.5 * (1.0 + std::cos(std::numbers::pi * away));
}

Image<double> psf_grid_reference(const Image<double>& scene, const Shape& frame,
                                 const Image<double>& psfs, GridOrder order, const Border& border) {
  const Index ny = psfs.shape()[0];
  const Index nx = psfs.shape()[1];
  const Index ry = psfs.shape()[2] / 2;
  const Index rx = psfs.shape()[3] / 2;
  Image<double> out(frame);
  // Position p of the plane is read from the scene at place(p), and its masks are those at mask(p).
  const auto place = [&](Index p, Index n, Index radius) {
    return border.extend ? p + radius : extend(p, n, border.mode);
  };
  const auto mask = [&](Index p, Index n) { return border.extend ? p : extend(p, n, border.mode); };
  for (Index i = 0; i < out.elements(); ++i) {
    const Index x = i % frame[3];
    const Index y = i / frame[3] % frame[2];
    const Index plane = i / frame[3] / frame[2];
    for (Index dy = -ry; dy <= ry; ++dy) {
      for (Index dx = -rx; dx <= rx; ++dx) {
        const Index from_y = place(y - dy, frame[2], ry);
        const Index from_x = place(x - dx, frame[3], rx);
        if (from_y < 0 || from_x < 0) continue;
        const double pixel = scene.view().at(plane / frame[1], plane % frame[1], from_y, from_x);
        const Index at_y = order == GridOrder::mask_first ? mask(y - dy, frame[2]) : y;
        const Index at_x = order == GridOrder::mask_first ? mask(x - dx, frame[3]) : x;
        for (Index k = 0; k < ny * nx; ++k) {
          const double weight =
              raised_cosine(k / nx, ny, at_y, frame[2]) * raised_cosine(k % nx, nx, at_x, frame[3]);
          out.data()[i] +=
              weight * pixel * psfs.data()[(k * (2 * ry + 1) + dy + ry) * (2 * rx + 1) + dx + rx];
        }
      }
    }
  }
  return out;
}

}  // namespace blurfield::test
