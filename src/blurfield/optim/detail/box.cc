// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/detail/box.h"

#include <cmath>

namespace blurfield::detail {
namespace {

template <class T>
const T* checked(const char* name, const char* what, std::span<const T> bound, std::size_t size) {
  if (bound.empty()) return nullptr;
  require(bound.size() == size, name, "expected ", what, " bounds of ", size, " elements, got ",
          bound.size());
  for (std::size_t i = 0; i < size; ++i) {
    require(!std::isnan(bound[i]), name, "expected ", what, " bounds that are numbers, got nan at ",
            i);
  }
  return bound.data();
}

}  // namespace

template <class T>
Box<T>::Box(const char* name, const Bounds<T>& bounds, std::size_t size)
    : lower_(checked(name, "lower", bounds.lower, size)),
      upper_(checked(name, "upper", bounds.upper, size)) {
  for (std::size_t i = 0; lower_ && upper_ && i < size; ++i) {
    require(lower_[i] <= upper_[i], name, "expected lower <= upper, got ", lower_[i], " and ",
            upper_[i], " at ", i);
  }
}

template class Box<float>;
template class Box<double>;

}  // namespace blurfield::detail
