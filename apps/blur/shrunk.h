// SPDX-License-Identifier: BSD-3-Clause
// A smaller picture of an image that comes row by row.
#pragma once

#include "blurfield/base/image.h"

namespace blurfield::app {

template <class T>
class Shrunk {
 public:
  // Of the first page of (pages, C, H, W): means of factor x factor pixels, so that no more than
  // report::kLargestSide are left along an axis; a rest at the right and bottom is dropped.
  explicit Shrunk(const Shape& image);

  // Rows of the first page, (1, C, rows, W), from row `first` on; those that have been added
  // already, or do not follow them, are left out.
  void add(Index first, const View<const T>& rows);

  Index factor() const { return factor_; }
  View<const T> picture() const { return means_; }  // (1, C, H / factor, W / factor)

 private:
  Index factor_;
  Index next_ = 0;
  Image<T> means_;
};

}  // namespace blurfield::app
