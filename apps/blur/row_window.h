// SPDX-License-Identifier: BSD-3-Clause
// A window on the rows of an image, which moves downwards and keeps the rows that stay in it.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>

#include "blurfield/base/image.h"

namespace blurfield::app {

template <class T>
class RowWindow {
 public:
  RowWindow() = default;
  RowWindow(Index channels, Index most_rows, Index width)
      : rows_(Image<T>::uninitialised({1, channels, most_rows, width})) {}

  // Moves down to rows first..end-1; those from first_missing() on are then to be filled in.
  void move(Index first, Index end) {
    const Index kept = first < first_ ? 0 : std::max<Index>(0, std::min(end, end_) - first);
    for (Index c = 0; kept > 0 && first != first_ && c < rows_.shape()[1]; ++c) {
      const View<T> all = rows_;
      std::memmove(all.row(0, c, 0), all.row(0, c, first - first_),
                   static_cast<std::size_t>(kept * all.width()) * sizeof(T));
    }
    first_missing_ = first + kept;
    first_ = first;
    end_ = end;
  }
  Index first() const { return first_; }
  Index end() const { return end_; }
  Index first_missing() const { return first_missing_; }

  // Rows y..y+count-1 of the window.
  View<T> rows(Index y, Index count) {
    View<T> part = rows_;
    part.data = part.row(0, 0, y - first_);
    part.shape[2] = count;
    return part;
  }
  View<T> all() { return rows(first_, end_ - first_); }

  // Nothing of it is kept.
  void forget() { first_ = end_ = 0; }

 private:
  Image<T> rows_;
  Index first_ = 0;
  Index end_ = 0;
  Index first_missing_ = 0;
};

}  // namespace blurfield::app
