// SPDX-License-Identifier: BSD-3-Clause
// Every kind of blur operator with every border, and what each of them must satisfy.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "blurfield/deblur/downsampled.h"
#include "blurfield/deblur/gaussian_operator.h"
#include "blurfield/deblur/psf_grid.h"
#include "blurfield/deblur/psf_operator.h"
#include "tests/support/fields.h"

namespace blurfield::test {

inline std::vector<Border> all_borders() {
  std::vector<Border> borders{{true, Mode::reflect}};
  for (Mode mode : kModes) borders.push_back({false, mode});
  return borders;
}

inline std::string border_text(const Border& border) {
  return border.extend ? "extend" : std::string(mode_name(border.mode));
}

// Positive taps without any symmetry.
inline Image<double> lopsided_psf(Index height, Index width, std::uint64_t seed = 3) {
  return random_field<double>({height, width}, 0.1, 1.0, seed);
}

template <class T>
struct Model {
  std::string name;
  std::unique_ptr<BlurOperator<T>> blur;
};

// All models for this frame, at least 12 x 12 and of even sizes.
template <class T>
std::vector<Model<T>> all_models(const Shape& frame, const Border& border) {
  std::vector<Model<T>> models;
  const auto add = [&](const std::string& name, std::unique_ptr<BlurOperator<T>> blur) {
    models.push_back({name + ", " + border_text(border), std::move(blur)});
  };
  add("psf 5 x 9", psf_operator<T>(frame, lopsided_psf(5, 9), border));
  add("psf 4 x 6", psf_operator<T>(frame, lopsided_psf(4, 6), border));
  const std::vector<double> sigma{1.3};
  const std::vector<double> sigmas{0.0, 2.1};
  const std::vector<double> logchol{0.2, 0.6, -0.1};
  add("sigma", gaussian_operator<T>(frame, sigma, border));
  add("sigmas", gaussian_operator<T>(frame, sigmas, border));
  add("logchol", gaussian_operator<T>(frame, logchol, border));
  for (Index kind = 1; kind <= 3; ++kind) {
    for (bool scatter : {false, true}) {
      AdaptiveBlurOptions options;
      options.scatter = scatter;
      const auto field = converted<T>(field_of({1, 1, frame[2], frame[3]}, kind, 0.4, 1.6));
      add(message("field of ", kind, scatter ? " scatter" : " gather"),
          adaptive_operator<T>(frame, field, border, options));
    }
  }
  for (GridOrder order : {GridOrder::mask_first, GridOrder::conv_first}) {
    const Image<double> psfs = random_field<double>({3, 2, 5, 4}, 0.1, 1.0, 9);
    add("grid " + std::string(order_name(order)), psf_grid_operator<T>(frame, psfs, order, border));
  }
  const Shape fine{frame[0], frame[1], 2 * frame[2], 2 * frame[3]};
  add("downsampled", downsampled<T>(psf_operator<T>(fine, lopsided_psf(5, 9), border), 2));
  return models;
}

template <class T>
Image<T> forward(const BlurOperator<T>& blur, const Image<T>& scene, int threads = 0) {
  Image<T> frame = constant_image<T>(blur.frame(), NAN);
  blur.forward(scene, frame, {threads, {}});
  return frame;
}

template <class T>
Image<T> adjoint(const BlurOperator<T>& blur, const Image<T>& frame, int threads = 0) {
  Image<T> scene = constant_image<T>(blur.scene(), NAN);
  blur.adjoint(frame, scene, {threads, {}});
  return scene;
}

// <A x, y> = <x, A^T y>, relative to |A x| |y|.
template <class T>
void expect_exact_adjoint(const BlurOperator<T>& blur) {
  const Image<T> x = random_image<T>(blur.scene(), 101);
  const Image<T> y = random_image<T>(blur.frame(), 202);
  const Image<T> ax = forward(blur, x);
  const double gap = inner(ax, y) - inner(x, adjoint(blur, y));
  EXPECT_LE(std::abs(gap), (sizeof(T) == 8 ? 1e-12 : 1e-5) * norm(ax) * norm(y));
}

// What a point of light at pixel (y, x) of the frame, or beyond it, becomes: the whole frame.
template <class T>
Image<T> impulse_response(const BlurOperator<T>& blur, Index y, Index x) {
  Image<T> scene(blur.scene());
  scene.view().at(0, 0, blur.margin()[0] + y, blur.margin()[1] + x) = T{1};
  return forward(blur, scene);
}

// The part of channel 0 of an image around (y, x), as large as a point-spread function.
template <class T>
Image<double> around(const Image<T>& image, Index y, Index x, Index height, Index width) {
  Image<double> part({height, width});
  for (Index i = 0; i < height; ++i) {
    for (Index j = 0; j < width; ++j) {
      part.data()[i * width + j] =
          static_cast<double>(image.view().at(0, 0, y + i - height / 2, x + j - width / 2));
    }
  }
  return part;
}

// The largest singular value, from below, by the power method.
template <class T>
double largest_singular_value(const BlurOperator<T>& blur, int iterations = 200) {
  Image<T> x = random_image<T>(blur.scene(), 11);
  double value = 0.0;
  for (int i = 0; i < iterations; ++i) {
    const double scale = 1.0 / norm(x);
    for (Index j = 0; j < x.elements(); ++j) {
      x.data()[j] = static_cast<T>(scale * static_cast<double>(x.data()[j]));
    }
    const Image<T> ax = forward(blur, x);
    value = norm(ax);
    x = adjoint(blur, ax);
  }
  return value;
}

// The text of the Error that f throws; empty where there is none.
template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace blurfield::test
