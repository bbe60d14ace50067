// SPDX-License-Identifier: BSD-3-Clause
// What a blur by bands has to know before it begins: a walk over the map.
#pragma once

#include <functional>
#include <vector>

#include "apps/blur/bands.h"

namespace blurfield::app {

struct Survey {
  double sigma = 0;                         // the largest along y, pixels
  double taps = 0;                          // multiply-adds of the exact blur
  BlurReport plan;                          // of the whole image, with the tolerance of the options
  std::function<double(Index)> work_bytes;  // working memory of the blur of so many rows
};

// `gaussian` is that of a uniform blur; else the map is read, and checked, so many rows at a time.
// `blurred` is the shape of what is blurred, with its weights.
template <class T>
Survey survey(const BlurRequest& request, BandInputs<T>& inputs,
              const std::vector<double>& gaussian, const Shape& blurred, Index rows,
              const AdaptiveBlurOptions& options);

}  // namespace blurfield::app
