// SPDX-License-Identifier: BSD-3-Clause
// From the pixels of a file to what is blurred, and back.
#pragma once

#include <vector>

#include "apps/blur/request.h"
#include "blurfield/base/image.h"
#include "blurfield/base/random.h"

namespace blurfield::app {

template <class T>
class Encoding {
 public:
  // Of a picture (pages, C, H, W), whose last channel is alpha if `alpha`.
  Encoding(const BlurRequest& request, const Shape& picture, bool alpha);

  // Light as --linear-light wants it, and premultiplied.
  void decode(const View<T>& x) const;
  double decode_cval(double cval) const;

  // Back to the file's encoding, with --noise: pages, or rows of a page, in ascending order.
  void encode(const View<T>& out);

 private:
  void add_noise(const View<T>& out);

  bool linear_;
  bool alpha_;
  double noise_;
  Index colours_;
  Index plane_;                   // pixels of a channel
  Index done_ = 0;                // pixels of the page that have got their noise
  std::vector<Random> channels_;  // the noise of each, of one sequence over page, channel, pixel
};

}  // namespace blurfield::app
