// SPDX-License-Identifier: BSD-3-Clause
// Photographs to blur and deblur.
#pragma once

#include <cmath>
#include <string>

#include "blurfield/io/picture.h"
#include "tests/support/blur_operators.h"

namespace blurfield::test {

// Rows and columns from (y, x) of examples/images/file: its first channels, as many as the shape
// has, or their mean for one.
template <class T>
Image<T> photograph(const std::string& file, const Shape& shape, Index y, Index x) {
  const auto picture = io::load_picture<T>(std::string(BLURFIELD_EXAMPLE_IMAGES) + "/" + file);
  const View<const T> from = picture.pixels;
  Image<T> part(shape);
  const Index channels = shape[1] == 1 ? std::min<Index>(from.channels(), 3) : 1;
  for (Index i = 0; i < part.elements(); ++i) {
    const Index row = i / shape[3] % shape[2];
    const Index c = i / (shape[3] * shape[2]) % shape[1];
    for (Index k = 0; k < channels; ++k) {
      part.data()[i] += from.at(0, c + k, y + row, x + i % shape[3]) / static_cast<T>(channels);
    }
  }
  return part;
}

template <class T>
void add_noise(Image<T>& image, double deviation, std::uint64_t seed = 1) {
  Random random(seed);
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] += static_cast<T>(deviation * random.normal());
  }
}

// A scene and how it was recorded.
template <class T>
struct Recording {
  Recording(const BlurOperator<T>& of, Image<T> true_scene, double noise)
      : blur(of), scene(std::move(true_scene)), frame(forward(of, scene)) {
    add_noise(frame, noise);
  }
  // Of an image of the scene's visible part, whose pixels are 0..1.
  double psnr(const View<const T>& image) const {
    const Image<T> got(image);
    const Image<T> sharp(blur.visible(scene.view()));
    const double error = norm(moved_by(got, sharp));
    return -20 * std::log10(error / std::sqrt(static_cast<double>(got.elements())));
  }

  const BlurOperator<T>& blur;
  Image<T> scene;
  Image<T> frame;

 private:
  static Image<T> moved_by(const Image<T>& a, const Image<T>& b) {
    require(a.shape() == b.shape(), "psnr", "shapes differ");
    Image<T> gap(a.shape());
    for (Index i = 0; i < a.elements(); ++i) gap.data()[i] = a.data()[i] - b.data()[i];
    return gap;
  }
};

// The astronaut's face.
template <class T>
Recording<T> portrait(const BlurOperator<T>& blur, double noise) {
  return {blur, photograph<T>("astronaut.png", blur.scene(), 20, 160), noise};
}

}  // namespace blurfield::test
