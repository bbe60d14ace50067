// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/base/extension.h"

#include <array>
#include <utility>

namespace blurfield {
namespace {

constexpr std::array<std::pair<std::string_view, Mode>, 5> kNames{{{"reflect", Mode::reflect},
                                                                   {"mirror", Mode::mirror},
                                                                   {"nearest", Mode::nearest},
                                                                   {"constant", Mode::constant},
                                                                   {"wrap", Mode::wrap}}};

Index positive_modulo(Index i, Index n) {
  const Index remainder = i % n;
  return remainder < 0 ? remainder + n : remainder;
}

}  // namespace

std::string_view mode_name(Mode mode) {
  for (const auto& [name, value] : kNames) {
    if (value == mode) return name;
  }
  return "?";
}

std::optional<Mode> parse_mode(std::string_view name) {
  for (const auto& [known, value] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

Index extend(Index i, Index n, Mode mode) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case Mode::reflect: {
      const Index at = positive_modulo(i, 2 * n);
      return at < n ? at : 2 * n - 1 - at;
    }
    case Mode::mirror: {
      if (n == 1) return 0;
      const Index at = positive_modulo(i, 2 * n - 2);
      return at < n ? at : 2 * n - 2 - at;
    }
    case Mode::nearest:
      return i < 0 ? 0 : n - 1;
    case Mode::wrap:
      return positive_modulo(i, n);
    case Mode::constant:
      break;
  }
  return -1;
}

bool reversed(Index i, Index n, Mode mode) {
  if (i >= 0 && i < n) return false;
  if (mode == Mode::reflect) return positive_modulo(i, 2 * n) >= n;
  if (mode == Mode::mirror && n > 1) return positive_modulo(i, 2 * n - 2) >= n;
  return false;
}

}  // namespace blurfield
