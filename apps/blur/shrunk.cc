// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/shrunk.h"

#include <algorithm>

#include "blurfield/report/panel.h"

namespace blurfield::app {

template <class T>
Shrunk<T>::Shrunk(const Shape& image)
    : factor_(std::min(
          {(std::max(image[2], image[3]) + report::kLargestSide - 1) / report::kLargestSide,
           image[2], image[3]})),
      means_({1, image[1], image[2] / factor_, image[3] / factor_}) {}

template <class T>
void Shrunk<T>::add(Index first, const View<const T>& rows) {
  const View<T> means = means_;
  const T part = T{1} / static_cast<T>(factor_ * factor_);
  for (Index y = first; y < first + rows.height(); ++y) {
    if (y != next_ || y >= means.height() * factor_) continue;
    ++next_;
    for (Index c = 0; c < rows.channels(); ++c) {
      const T* from = rows.row(0, c, y - first);
      T* to = means.row(0, c, y / factor_);
      for (Index x = 0; x < means.width() * factor_; ++x) to[x / factor_] += part * from[x];
    }
  }
}

template class Shrunk<float>;
template class Shrunk<double>;

}  // namespace blurfield::app
