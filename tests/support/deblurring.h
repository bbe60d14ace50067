// SPDX-License-Identifier: BSD-3-Clause
// Small deblurring problems of a photograph for the primal-dual method.
#pragma once

#include "blurfield/deblur/primal_dual.h"
#include "blurfield/io/picture.h"
#include "tests/support/blur_operators.h"

namespace blurfield::test {

inline constexpr Border kExtend{true, Mode::reflect};

template <class T>
PrimalDualOptions<T> rounds(int iterations) {
  PrimalDualOptions<T> options;
  options.max_iterations = iterations;
  return options;
}

inline FidelityOptions fidelity_of(Fidelity kind, double noise) {
  FidelityOptions options;
  options.kind = kind;
  options.noise = noise;
  options.background = 0.1;
  options.gain = 0.01;
  return options;
}

inline PriorOptions prior_of(Prior kind, double scale = 0.01, bool joint = true) {
  PriorOptions options;
  options.kind = kind;
  options.scale = scale;
  options.joint = joint;
  return options;
}

// A crop of a photograph, blurred and with noise.
template <class T>
Image<T> recorded(const BlurOperator<T>& blur, double noise) {
  const auto picture =
      io::load_picture<T>(std::string(BLURFIELD_EXAMPLE_IMAGES) + "/astronaut.png");
  Image<T> scene(blur.scene());
  const View<T> to = scene;
  for (Index n = 0; n < to.batch(); ++n) {
    for (Index c = 0; c < to.channels(); ++c) {
      for (Index y = 0; y < to.height(); ++y) {
        for (Index x = 0; x < to.width(); ++x) {
          to.at(n, c, y, x) = picture.pixels.view().at(0, c, 30 + y, 180 + x + 40 * n);
        }
      }
    }
  }
  Image<T> y = forward(blur, scene);
  Random random(4);
  for (Index i = 0; i < y.elements(); ++i) {
    y.data()[i] += static_cast<T>(noise * random.normal());
  }
  return y;
}

template <class T>
Image<T> grey_start(const BlurOperator<T>& blur) {
  return constant_image<T>(blur.scene(), 0.4);
}

// The frame, and its nearest pixels beyond.
template <class T>
Image<T> frame_start(const BlurOperator<T>& blur, const Image<T>& y) {
  Image<T> scene(blur.scene());
  const View<T> to = scene;
  const auto inner = [&](Index i, int axis) {
    const Index margin = blur.margin()[static_cast<std::size_t>(axis)];
    return std::clamp<Index>(i - margin, 0, blur.frame()[2 + axis] - 1);
  };
  for (Index i = 0; i < to.height(); ++i) {
    for (Index j = 0; j < to.width(); ++j) {
      to.at(0, 0, i, j) = y.view().at(0, 0, inner(i, 0), inner(j, 1));
    }
  }
  return scene;
}

}  // namespace blurfield::test
