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
  T clamp(Index i, T x) const { return std::min(std::max(x, lower(i)), upper(i)); }
  // Whether x_i is at a bound and going down the gradient g_i would leave the box.
  bool holds(Index i, T x, T g) const {
    return (g > 0 && x <= lower(i)) || (g < 0 && x >= upper(i));
  }
  // The largest step for which x_i + step d_i stays in the box.
  double room(Index i, T x, T d) const {
    if (d == 0) return kInfinity;
    const T bound = d < 0 ? lower(i) : upper(i);
    return (static_cast<double>(bound) - static_cast<double>(x)) / static_cast<double>(d);
  }

 private:
  static constexpr T kInfinity = std::numeric_limits<T>::infinity();
  T lower(Index i) const { return lower_ ? lower_[i * lower_step_] : -kInfinity; }
  T upper(Index i) const { return upper_ ? upper_[i * upper_step_] : kInfinity; }

  const T* lower_;
  const T* upper_;
  Index lower_step_;  // 0: one bound for all
  Index upper_step_;
};

}  // namespace blurfield::detail
