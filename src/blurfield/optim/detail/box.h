// SPDX-License-Identifier: BSD-3-Clause
// Bounds as an optimiser uses them.
#pragma once

#include <algorithm>

#include "blurfield/optim/minimise.h"

namespace blurfield::detail {

template <class T>
class Box {
 public:
  // Throws Error unless the bounds are empty or of this size, and lower <= upper.
  Box(const char* name, const Bounds<T>& bounds, std::size_t size);

  bool bounded() const { return lower_ || upper_; }
  T clamp(Index i, T x) const {
    if (lower_) x = std::max(x, lower_[i]);
    return upper_ ? std::min(x, upper_[i]) : x;
  }
  // Whether x_i is at a bound and going down the gradient g_i would leave the box.
  bool holds(Index i, T x, T g) const {
    return (lower_ && g > 0 && x <= lower_[i]) || (upper_ && g < 0 && x >= upper_[i]);
  }
  // The largest step for which x_i + step d_i stays in the box.
  double room(Index i, T x, T d) const {
    if (d < 0 && lower_) return (x - static_cast<double>(lower_[i])) / -d;
    if (d > 0 && upper_) return (static_cast<double>(upper_[i]) - x) / d;
    return std::numeric_limits<double>::infinity();
  }

 private:
  const T* lower_;
  const T* upper_;
};

}  // namespace blurfield::detail
