// SPDX-License-Identifier: BSD-3-Clause
// Numbers in sentences: four significant digits.
#pragma once

#include <cstdio>
#include <string>

namespace blurfield::detail {

inline std::string brief(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace blurfield::detail
