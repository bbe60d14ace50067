// SPDX-License-Identifier: BSD-3-Clause
// All modes, and options in a line.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "blurfield/ops/blur_options.h"

namespace blurfield::test {

inline constexpr std::array kModes{Mode::reflect, Mode::mirror, Mode::nearest, Mode::constant,
                                   Mode::wrap};

inline BlurOptions with(Mode mode, double cval = 0.0, std::vector<int> radius = {}) {
  BlurOptions options;
  options.extension = {mode, cval};
  options.radius = std::move(radius);
  return options;
}

}  // namespace blurfield::test
