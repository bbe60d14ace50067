// SPDX-License-Identifier: BSD-3-Clause
// Pieces of HTML and SVG text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace blurfield::report {

// Text as it may stand in an element or a quoted attribute.
std::string escape(std::string_view text);

// RFC 4648, with padding.
std::string base64(std::span<const std::uint8_t> bytes);

// A number with at most `digits` significant digits and no trailing zeros, e.g. "0.25", "1e+06".
std::string number(double value, int digits = 4);

// A word as a POSIX shell reads it back unchanged; quoted only where it must be.
std::string shell_quote(std::string_view word);

// 2 to about `count` round values that lie within low..high, ascending.
std::vector<double> round_ticks(double low, double high, int count);

// The like for a logarithmic axis, 0 < low <= high: 1, 2 and 5 of every decade, or whole decades
// where these are more than `count`.
std::vector<double> log_ticks(double low, double high, int count);

}  // namespace blurfield::report
