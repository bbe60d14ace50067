// SPDX-License-Identifier: BSD-3-Clause
// Random fields of every kind, and the cases that the adaptive blur is tested on.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "blurfield/ops/adaptive_blur.h"
#include "tests/support/blur_options.h"
#include "tests/support/images.h"

namespace blurfield::test {

// A random field of this kind (1, 2 or 3 channels), sigmas in low..high.
inline Image<double> field_of(const Shape& image, Index kind, double low, double high,
                              std::uint64_t seed = 7) {
  Shape shape = image;
  shape[1] = kind;
  Image<double> field = random_field<double>(shape, low, high, seed);
  if (kind < 3) return field;
  Random random(seed);
  const View<double> v = field.view();
  for (Index n = 0; n < v.batch(); ++n) {
    for (Index y = 0; y < v.height(); ++y) {
      for (Index x = 0; x < v.width(); ++x) {
        v.at(n, 0, y, x) = std::log(v.at(n, 0, y, x));
        v.at(n, 2, y, x) = std::log(v.at(n, 2, y, x));
        v.at(n, 1, y, x) = random.normal();
      }
    }
  }
  return field;
}

struct Case {
  Shape shape;
  Index kind;
  bool scatter;
  AdaptiveBlurOptions options;
  std::string text;
};

// Every kind of field, gather and scatter, every mode, on awkward sizes.
inline std::vector<Case> cases(std::initializer_list<Shape> shapes, double truncate = 4.0) {
  std::vector<Case> all;
  for (const Shape& shape : shapes) {
    for (Index kind = 1; kind <= (shape.rank() == 3 ? 1 : 3); ++kind) {
      for (bool scatter : {false, true}) {
        for (Mode mode : kModes) {
          AdaptiveBlurOptions options;
          options.scatter = scatter;
          options.truncate = truncate;
          options.extension = {mode, mode == Mode::constant ? 0.7 : 0.0};
          all.push_back({shape, kind, scatter, options,
                         message(shape.text(), " kind ", kind, scatter ? " scatter " : " gather ",
                                 mode_name(mode))});
        }
      }
    }
  }
  return all;
}

}  // namespace blurfield::test
