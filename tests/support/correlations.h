// SPDX-License-Identifier: BSD-3-Clause
// Random correlations for tests, and the measure of their errors.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "blurfield/base/random.h"
#include "blurfield/ops/correlate.h"
#include "tests/support/images.h"

namespace blurfield::test {

inline constexpr std::array kMethods{ConvolutionMethod::automatic, ConvolutionMethod::direct,
                                     ConvolutionMethod::separable, ConvolutionMethod::gemm,
                                     ConvolutionMethod::fft};
inline constexpr std::array kModes{Mode::reflect, Mode::mirror, Mode::nearest, Mode::constant,
                                   Mode::wrap};

template <class T>
double largest(const Image<T>& image) {
  double most = 0.0;
  for (Index i = 0; i < image.elements(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(image.data()[i])));
  }
  return most;
}

// max |a - b| over the largest output that taps of this kernel can make of x.
template <class T>
double relative_error(const Image<T>& a, const Image<double>& b, const Image<T>& x,
                      const Image<T>& kernel) {
  double taps = 0.0;
  for (Index i = 0; i < kernel.elements(); ++i) {
    taps += std::abs(static_cast<double>(kernel.data()[i]));
  }
  if (kernel.shape().rank() == 3) taps /= static_cast<double>(kernel.shape()[0]);
  if (kernel.shape().rank() == 4) taps /= static_cast<double>(kernel.shape()[0]);
  double worst = 0.0;
  for (Index i = 0; i < a.elements(); ++i) {
    const double gap = std::abs(static_cast<double>(a.data()[i]) - b.data()[i]);
    worst = gap <= worst ? worst : (std::isnan(gap) ? INFINITY : gap);
  }
  return worst / (taps * largest(x));
}

template <class T>
inline constexpr double kTolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;

struct Case {
  Shape x;
  Shape kernel;
  CorrelateOptions options;
};

inline std::vector<Index> random_pair(Random& random, Index most) {
  if (random.uniform() < 0.4) return {};
  if (random.uniform() < 0.4) return {random.integer(1, most)};
  return {random.integer(1, most), random.integer(1, most)};
}

// An image and a kernel of any kind, with an output of at least one pixel.
inline Case random_case(Random& random) {
  while (true) {
    Case c;
    const Index channels = random.integer(1, 3);
    c.x = {random.integer(1, 2), channels, random.integer(1, 40), random.integer(1, 40)};
    const Index kh = random.integer(1, 9);
    const Index kw = random.integer(1, 9);
    const Index kind = random.integer(0, 2);
    c.kernel = kind == 0   ? Shape{kh, kw}
               : kind == 1 ? Shape{channels, kh, kw}
                           : Shape{random.integer(1, 4), channels, kh, kw};
    c.options.extension = {kModes[static_cast<std::size_t>(random.integer(0, 4))], 0.7};
    c.options.stride = random_pair(random, 3);
    c.options.dilation = random_pair(random, 3);
    c.options.flip = random.uniform() < 0.5;
    if (random.uniform() < 0.25) {
      c.options.padding = random_pair(random, 12);
    } else {
      c.options.output = static_cast<Output>(random.integer(0, 2));
    }
    try {
      correlate_shape(c.x, c.kernel, c.options);
      return c;
    } catch (const Error&) {
      continue;  // larger than the image
    }
  }
}

inline std::string text(const Case& c, ConvolutionMethod method) {
  const auto list = [](const std::vector<Index>& values) {
    std::string s = "[";
    for (Index v : values) s += std::to_string(v) + " ";
    return s + "]";
  };
  return message(method_name(method), " x ", c.x.text(), " kernel ", c.kernel.text(), " ",
                 mode_name(c.options.extension.mode), " ", output_name(c.options.output),
                 " stride ", list(c.options.stride), " dilation ", list(c.options.dilation),
                 " padding ", list(c.options.padding), c.options.flip ? " flip" : "");
}

}  // namespace blurfield::test
