// SPDX-License-Identifier: BSD-3-Clause
// Ways to ask for a tolerance, and the rows of what is computed then.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "blurfield/ops/adaptive_blur.h"
#include "tests/support/images.h"

namespace blurfield::test {

// A kind of field, and a method that may be asked for it.
struct Way {
  Index kind;
  BlurMethod method;
};
inline constexpr std::array kWays{Way{1, BlurMethod::stack},    Way{1, BlurMethod::automatic},
                                  Way{2, BlurMethod::stack},    Way{2, BlurMethod::automatic},
                                  Way{3, BlurMethod::residual}, Way{3, BlurMethod::automatic},
                                  Way{1, BlurMethod::exact},    Way{3, BlurMethod::exact}};

inline std::string method_text(BlurMethod method) {
  const std::array names{"automatic", "exact", "stack", "residual"};
  return names[static_cast<std::size_t>(method)];
}

inline AdaptiveBlurOptions tolerant(const Way& way, Mode mode, bool scatter,
                                    double tolerance = 1e-3) {
  AdaptiveBlurOptions options;
  options.tolerance = tolerance;
  options.method = way.method;
  options.scatter = scatter;
  options.extension.mode = mode;
  return options;
}

inline std::string text_of(Index kind, const AdaptiveBlurOptions& options) {
  return message("kind ", kind, ' ', method_text(options.method), ' ',
                 mode_name(options.extension.mode), options.scatter ? " scatter" : " gather",
                 ", asked ", options.tolerance);
}

struct Pixel {
  Index y;
  Index x;
};

// Corners, borders, both sides of tiles' borders, both sides of the field's steepest place, its
// extremes, and a few at random.
inline std::vector<Pixel> telling_pixels(const Image<double>& field, Index count) {
  constexpr Index kTile = 96;
  const Index h = field.view().height();
  const Index w = field.view().width();
  std::vector<Pixel> pixels{{0, 0}, {h - 1, w - 1}, {0, w / 3}, {h / 3, w - 1}, {h - 1, 0}};
  for (const Pixel& p : {Pixel{kTile - 1, kTile - 1}, Pixel{kTile, kTile}, Pixel{kTile, w / 2}}) {
    if (p.y < h && p.x < w) pixels.push_back(p);
  }
  Index least = 0;
  Index most = 0;
  Index steepest = 0;
  const double* value = field.data();
  const bool logarithms = field.shape()[1] == 3;
  const auto jump = [&](Index i) {
    return std::abs(value[i + 1] - value[i]) / (logarithms ? 1.0 : value[i]);
  };
  for (Index i = 0; i < h * w; ++i) {
    if (value[i] < value[least]) least = i;
    if (value[i] > value[most]) most = i;
    if (i % w + 1 < w && jump(i) > jump(steepest)) steepest = i;
  }
  for (const Index i : {least, most, steepest, steepest + (w > 1)}) {
    pixels.push_back({i / w, i % w});
  }
  Random random(5);
  while (static_cast<Index>(pixels.size()) < count) {
    pixels.push_back({random.integer(0, h - 1), random.integer(0, w - 1)});
  }
  pixels.resize(static_cast<std::size_t>(count));
  return pixels;
}

// (pixels, 1, H, W), 1 at each one's pixel.
template <class T>
Image<T> impulses(const Shape& field, const std::vector<Pixel>& pixels) {
  Shape shape = field;
  shape[0] = static_cast<Index>(pixels.size());
  shape[1] = 1;
  Image<T> image(shape);
  for (Index i = 0; i < shape[0]; ++i) {
    const Pixel& p = pixels[static_cast<std::size_t>(i)];
    image.view().at(i, 0, p.y, p.x) = T{1};
  }
  return image;
}

// What the library computes for the Gaussians of these pixels, as gaussian_row: (pixels, 1, H, W).
template <class T>
Image<T> computed_rows(const Image<T>& field, const std::vector<Pixel>& pixels,
                       const AdaptiveBlurOptions& options) {
  const Image<T> at = impulses<T>(field.shape(), pixels);
  Image<T> rows(at.shape());
  if (options.scatter) {
    adaptive_blur<T>(at, field, rows, options);
  } else {
    const Image<T> x(at.shape());
    adaptive_blur_vjp<T>(x, field, at, rows, {}, options);
  }
  return rows;
}

}  // namespace blurfield::test
