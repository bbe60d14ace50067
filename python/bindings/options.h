// SPDX-License-Identifier: BSD-3-Clause
// Words and shapes of Python as the library's types; throw Error naming what was expected.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blurfield/ops/blur_options.h"

namespace blurfield::python {

Mode mode_of(const std::string& name);
BlurMethod blur_method_of(const std::string& name);  // "auto", "exact", "stack", "residual"
Shape shape_of(const std::vector<Index>& extents);

// The enumerator of a name, by the library's own parse function.
template <class Parse>
auto word(const char* option, const std::string& name, const Parse& parse, const char* expected) {
  const auto value = parse(name);
  if (!value) throw Error(message(option, ": expected ", expected, ", got '", name, "'"));
  return *value;
}

}  // namespace blurfield::python
