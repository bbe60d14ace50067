// SPDX-License-Identifier: BSD-3-Clause
// Loads the two images of an estimate and makes them fit for it; errors name their file.
#pragma once

#include <string>
#include <vector>

#include "apps/estimate/request.h"

namespace blurfield::app {

// Both of one shape (N, C, H, W), finite, without alpha, in linear light if asked for.
template <class T>
struct ImagePair {
  Image<T> sharp;
  Image<T> blurred;
  // (N, 1, H, W), 0 where a pixel of either is unknown: outside the mask, not finite, or not
  // opaque. There both images hold the mean of what is known around. Empty: all are known.
  Image<T> mask;
  io::Info sharp_info;
  io::Info blurred_info;
  std::vector<std::string> warnings;  // of images that a blur would hardly relate
};

template <class T>
ImagePair<T> load_pair(const EstimateRequest& request);

}  // namespace blurfield::app
