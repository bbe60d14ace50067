// SPDX-License-Identifier: BSD-3-Clause
// Fields of the patterns that a blur with a tolerance must bear.
#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "blurfield/ops/covariance.h"
#include "tests/support/images.h"

namespace blurfield::test {

enum class Pattern { constant, ramp, radial, steps, smooth, noise };
inline constexpr std::array kPatterns{Pattern::constant, Pattern::ramp,   Pattern::radial,
                                      Pattern::steps,    Pattern::smooth, Pattern::noise};

inline std::string pattern_name(Pattern pattern) {
  const std::array names{"constant", "ramp", "radial", "steps", "smooth", "noise"};
  return names[static_cast<std::size_t>(pattern)];
}

// Values in 0..1 of a pattern, (H, W).
inline Image<double> pattern_values(Pattern pattern, Index height, Index width,
                                    std::uint64_t seed) {
  constexpr std::size_t kSites = 12;
  Random random(seed);
  std::array<std::array<double, 3>, kSites> sites{};  // of the steps: y, x, value
  for (auto& site : sites) {
    site = {random.uniform(), random.uniform(), random.uniform()};
  }
  sites[0][2] = 0.0;
  sites[1][2] = 1.0;
  const double phase = 2.0 * std::numbers::pi * random.uniform();
  Image<double> values({height, width});
  for (Index i = 0; i < height * width; ++i) {
    const double y = (static_cast<double>(i / width) + 0.5) / static_cast<double>(height);
    const double x = (static_cast<double>(i % width) + 0.5) / static_cast<double>(width);
    double value = 0.95;
    double nearest = 8.0;
    switch (pattern) {
      case Pattern::constant:
        break;
      case Pattern::ramp:
        value = 0.5 * (x + y);
        break;
      case Pattern::radial:
        value = std::hypot(y - 0.5, x - 0.5) * std::numbers::sqrt2;
        break;
      case Pattern::steps:
        for (const auto& site : sites) {
          const double away = std::hypot(y - site[0], x - site[1]);
          if (away >= nearest) continue;
          nearest = away;
          value = site[2];
        }
        break;
      case Pattern::smooth:
        value = 0.5 + 0.25 * (std::sin(5.0 * x + 3.0 * y + phase) + std::sin(6.0 * y - 2.0 * x));
        break;
      case Pattern::noise:
        value = random.uniform();
        break;
    }
    values.data()[i] = value;
  }
  return values;
}

// A field (1, kind, H, W), numbers that float holds. Sigmas lie in low..high, evenly in their
// logarithm; a covariance's minor axis in low..high / 4, its major axis up to 4 times that.
inline Image<double> pattern_field(Pattern pattern, Index kind, Index height, Index width,
                                   double low, double high, std::uint64_t seed = 1) {
  const Image<double> first = pattern_values(pattern, height, width, seed);
  const Image<double> second = pattern_values(pattern, height, width, seed + 1);
  const Image<double> third = pattern_values(pattern, height, width, seed + 2);
  Image<double> field({1, kind, height, width});
  const Index count = height * width;
  for (Index i = 0; i < count; ++i) {
    const double opposite = second.data()[count - 1 - i];
    std::array<double, 3> theta{low * std::pow(high / low, first.data()[i]),
                                low * std::pow(high / low, opposite), 0.0};
    if (kind == 3) {
      const double minor = low * std::pow(0.25 * high / low, first.data()[i]);
      const double major = minor * (1.0 + 3.0 * opposite);
      const double angle = 2.0 * std::numbers::pi * third.data()[i];
      const double c = std::cos(angle);
      const double s = std::sin(angle);
      theta = cov_to_logchol(Cov{s * s * major * major + c * c * minor * minor,
                                 s * c * (major * major - minor * minor),
                                 c * c * major * major + s * s * minor * minor});
    }
    for (Index k = 0; k < kind; ++k) {
      field.data()[k * count + i] = static_cast<float>(theta[static_cast<std::size_t>(k)]);
    }
  }
  return field;
}

}  // namespace blurfield::test
