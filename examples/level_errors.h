// SPDX-License-Identifier: BSD-3-Clause
// Errors of mix_levels() on a photograph, by the number of levels.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/mix_levels.h"
#include "examples/study.h"

namespace blurfield::examples {

using report::Curve;
using report::Range;
using report::shrink;

inline double mean_square(const Image<double>& a, const Image<double>& b) {
  double total = 0;
  for (Index i = 0; i < a.elements(); ++i) total += std::pow(a.data()[i] - b.data()[i], 2);
  return total / static_cast<double>(a.elements());
}

// Blurs as good as untruncated.
inline BlurOptions whole_blurs() {
  BlurOptions options;
  options.truncate = 8;
  return options;
}

inline Image<double> stack_blur(const Image<double>& x, const Image<double>& field,
                                const std::vector<double>& sigmas, const BlurOptions& options) {
  Image<double> out(x.shape());
  mix_levels<double>(x, sigmas, field, out, options);
  return out;
}

inline Image<double> difference(const Image<double>& a, const Image<double>& b) {
  Image<double> gap(a.shape());
  std::transform(a.data(), a.data() + a.elements(), b.data(), gap.data(),
                 [](double v, double w) { return std::abs(v - w); });
  return gap;
}

inline double largest(const Image<double>& image) {
  return *std::max_element(image.data(), image.data() + image.elements());
}

// A photograph within 0..1, and a sigma that grows from left to right.
struct Ramp {
  Range sigmas{1, 9};
  Image<double> x;
  Image<double> field;
  Image<double> exact;

  Ramp() {
    const Image<float> photo =
        shrink(io::load_picture<float>("examples/images/ascent.png").pixels, 2);
    x = Image<double>(photo.shape());
    std::copy_n(photo.data(), photo.elements(), x.data());
    field = Image<double>(x.shape());
    const Index width = x.shape()[3];
    for (Index i = 0; i < x.elements(); ++i) {
      const double along = static_cast<double>(i % width) / static_cast<double>(width - 1);
      field.data()[i] = sigmas.low * std::pow(sigmas.high / sigmas.low, along);
    }
    AdaptiveBlurOptions options;
    options.truncate = 8;
    exact = adaptive_blur<double>(x, field, options);
  }
};

// Errors of 2, 3, ... levels beside the bound on them, up to `most`.
inline std::vector<Curve> level_errors(const Ramp& ramp, int most) {
  Curve bound{"bound", {}, {}};
  Curve worst{"largest error", {}, {}};
  Curve mean{"root of the mean squared error", {}, {}};
  for (int levels = 2; levels <= most; ++levels) {
    const auto sigmas = mix_level_sigmas(ramp.sigmas.low, ramp.sigmas.high, levels);
    const Image<double> got = stack_blur(ramp.x, ramp.field, sigmas, whole_blurs());
    for (Curve* curve : {&bound, &worst, &mean}) curve->x.push_back(levels);
    // Of an image within -1..1; this one spans half of that.
    bound.y.push_back(0.5 * mix_level_error(ramp.sigmas.low, ramp.sigmas.high, levels));
    worst.y.push_back(largest(difference(got, ramp.exact)));
    mean.y.push_back(std::sqrt(mean_square(got, ramp.exact)));
  }
  return {bound, worst, mean};
}

}  // namespace blurfield::examples
