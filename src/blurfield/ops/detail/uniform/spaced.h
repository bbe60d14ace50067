// SPDX-License-Identifier: BSD-3-Clause
// An image (N, C, H, W), not filled, whose rows are an odd number of cache lines apart: pixels
// above each other then do not crowd a few sets of a cache.
#pragma once

#include "blurfield/base/image.h"

namespace blurfield::detail {

template <class T>
class Spaced {
 public:
  explicit Spaced(const Shape& shape) {
    const Index line = 64 / static_cast<Index>(sizeof(T));
    const Index stride = (((shape[3] + line - 1) / line) | 1) * line;
    pixels_ = Image<T>::uninitialised({shape[0], shape[1], shape[2], stride});
    view_ = {pixels_.data(), shape, {shape[1] * shape[2] * stride, shape[2] * stride, stride, 1}};
  }
  const View<T>& view() const { return view_; }

 private:
  Image<T> pixels_;
  View<T> view_;
};

}  // namespace blurfield::detail
