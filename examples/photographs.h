// SPDX-License-Identifier: BSD-3-Clause
// Photographs as examples take them: grey, (1, 1, H, W), with noise, compared.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "blurfield/base/random.h"
#include "blurfield/io/picture.h"

namespace blurfield::examples {

using Picture = Image<float>;

// The upper left part of a photograph as grey (the weights of Rec. 709), at most size x size.
inline Picture photograph(const std::string& file, Index size) {
  const auto loaded = io::load_picture<float>("examples/images/" + file);
  const View<const float> from = loaded.pixels;
  Picture grey({1, 1, std::min(size, from.height()), std::min(size, from.width())});
  const View<float> to = grey;
  for (Index y = 0; y < to.height(); ++y) {
    for (Index x = 0; x < to.width(); ++x) {
      to.at(0, 0, y, x) = from.channels() < 3
                              ? from.at(0, 0, y, x)
                              : 0.2125f * from.at(0, 0, y, x) + 0.7154f * from.at(0, 1, y, x) +
                                    0.0721f * from.at(0, 2, y, x);
    }
  }
  return grey;
}

// Without `margin` pixels on each side.
inline Picture inside(const Picture& image, Index margin) {
  View<const float> part = image;
  part.data += margin * (part.y_stride() + part.x_stride());
  part.shape[2] -= 2 * margin;
  part.shape[3] -= 2 * margin;
  return Picture(part);
}

inline void add_noise(Picture& image, double noise) {
  Random random(1);
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] += static_cast<float>(noise * random.normal());
  }
}

inline double psnr(const View<const float>& a, const View<const float>& b) {
  double sum = 0;
  for (Index y = 0; y < a.height(); ++y) {
    for (Index x = 0; x < a.width(); ++x) {
      const double d =
          static_cast<double>(a.at(0, 0, y, x)) - static_cast<double>(b.at(0, 0, y, x));
      sum += d * d;
    }
  }
  return -10 * std::log10(sum / static_cast<double>(a.height() * a.width()));
}

// How much the error of x jumps between pixels at the borders of tiles, side by side, beside the
// most at any other distance from these borders: above 1 the tiles show.
inline double imprint(const Picture& x, const Picture& sharp, Index tiles) {
  const Index width = x.shape()[3];
  std::vector<double> jumps(static_cast<std::size_t>(width / tiles));
  for (Index y = 0; y < x.shape()[2]; ++y) {
    const float* at = x.view().row(0, 0, y);
    const float* truth = sharp.view().row(0, 0, y);
    for (Index i = width / tiles; i < width; ++i) {
      jumps[static_cast<std::size_t>(i % (width / tiles))] +=
          std::abs((at[i] - truth[i]) - (at[i - 1] - truth[i - 1]));
    }
  }
  return jumps[0] / *std::max_element(jumps.begin() + 1, jumps.end());
}

// Sigma growing with the distance from the middle to the corners.
inline Picture outward(const Shape& shape, double middle = 0.7, double corner = 4.0) {
  Picture field({1, 1, shape[2], shape[3]});
  const double cy = 0.5 * static_cast<double>(shape[2] - 1);
  const double cx = 0.5 * static_cast<double>(shape[3] - 1);
  for (Index y = 0; y < shape[2]; ++y) {
    for (Index x = 0; x < shape[3]; ++x) {
      const double r = std::hypot(static_cast<double>(y) - cy, static_cast<double>(x) - cx);
      field.view().at(0, 0, y, x) =
          static_cast<float>(middle + (corner - middle) * r / std::hypot(cy, cx));
    }
  }
  return field;
}

}  // namespace blurfield::examples
