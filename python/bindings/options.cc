// SPDX-License-Identifier: BSD-3-Clause
#include "python/bindings/options.h"

#include <algorithm>

namespace blurfield::python {

Mode mode_of(const std::string& name) {
  return word("mode", name, parse_mode, "reflect, mirror, nearest, constant or wrap");
}

BlurMethod blur_method_of(const std::string& name) {
  const auto parse = [](std::string_view text) -> std::optional<BlurMethod> {
    if (text == "auto") return BlurMethod::automatic;
    if (text == "exact") return BlurMethod::exact;
    if (text == "stack") return BlurMethod::stack;
    if (text == "residual") return BlurMethod::residual;
    return std::nullopt;
  };
  return word("method", name, parse, "auto, exact, stack or residual");
}

Shape shape_of(const std::vector<Index>& extents) {
  switch (extents.size()) {
    case 1:
      return {extents[0]};
    case 2:
      return {extents[0], extents[1]};
    case 3:
      return {extents[0], extents[1], extents[2]};
    case 4:
      return {extents[0], extents[1], extents[2], extents[3]};
    case 5:
      return {extents[0], extents[1], extents[2], extents[3], extents[4]};
    default:
      throw Error(message("shape: expected 1 to 5 axes, got ", extents.size()));
  }
}

}  // namespace blurfield::python
