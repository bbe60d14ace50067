// SPDX-License-Identifier: BSD-3-Clause
// Checks of the operations of ops/ on Vars, and the inputs that all checks share.
#pragma once

#include "tests/support/autodiff.h"

namespace blurfield::test {

inline const Shape kShape{2, 3, 5, 7};

inline Images<double, 1> normal(const Shape& shape = kShape) {
  return {random_image<double>(shape, 1)};
}
inline Images<double, 1> positive(const Shape& shape = kShape) {
  return {random_field<double>(shape, 0.5, 2.0, 1)};
}
inline Images<double, 2> pair(const Shape& a, const Shape& b) {
  return {random_image<double>(a, 1), random_field<double>(b, 0.5, 2.0, 2)};
}

void check_adaptive_blur();
void check_uniform_blur();
void check_mix();
void check_correlate(bool flip);
void check_local_filter();
void check_columns(bool pack);
void check_operation();

}  // namespace blurfield::test
