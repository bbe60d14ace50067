// SPDX-License-Identifier: BSD-3-Clause
// The extension rule: what stands beyond an image's border. SciPy's words and meaning.
#pragma once

#include <optional>
#include <string_view>

#include "blurfield/base/view.h"

namespace blurfield {

enum class Mode {
  reflect,   // d c b a | a b c d | d c b a
  mirror,    //   d c b | a b c d | c b a
  nearest,   // a a a a | a b c d | d d d d
  constant,  // k k k k | a b c d | k k k k
  wrap,      // a b c d | a b c d | a b c d
};

struct Extension {
  Mode mode = Mode::reflect;
  double cval = 0.0;  // the k of Mode::constant
};

std::string_view mode_name(Mode mode);
std::optional<Mode> parse_mode(std::string_view name);

// Where index i of the extended axis is read in an axis of n >= 1 pixels: 0..n-1, or -1 where
// Mode::constant holds. Any i is allowed, also further away than n.
Index extend(Index i, Index n, Mode mode);

// True where the extension runs the axis backwards (odd copies of reflect and mirror): there a
// logchol field's b changes sign if the other axis is not reversed too.
bool reversed(Index i, Index n, Mode mode);

}  // namespace blurfield
