// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/detail/box.h"

#include <cmath>

namespace blurfield::detail {
namespace {

template <class T>
const T* checked(const char* name, const char* what, std::span<const T> bound, std::size_t size) {
  if (bound.empty()) return nullptr;
  require(bound.size() == size || bound.size() == 1, name, "expected ", what, " bounds of 1 or ",
          size, " elements, got ", bound.size());
  for (std::size_t i = 0; i < bound.size(); ++i) {
    require(!std::isnan(bound[i]), name, "expected ", what, " bounds that are numbers, got nan at ",
            i);
  }
  return bound.data();
}

}  // namespace

template <class T>
Box<T>::Box(const char* name, const Bounds<T>& bounds, std::size_t size)
    : lower_(checked(name, "lower", bounds.lower, size)),
      upper_(checked(name, "upper", bounds.upper, size)),
      lower_step_(bounds.lower.size() == 1 ? 0 : 1),
      upper_step_(bounds.upper.size() == 1 ? 0 : 1) {
  for (Index i = 0; bounded() && i < static_cast<Index>(size); ++i) {
    require(lower(i) <= upper(i), name, "expected lower <= upper, got ", lower(i), " and ",
            upper(i), " at ", i);
  }
}

template class Box<float>;
template class Box<double>;

}  // namespace blurfield::detail
