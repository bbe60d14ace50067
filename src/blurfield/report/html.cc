// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace blurfield::report {

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < have ? bytes[i + j] : 0u);
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= have ? kDigits[group >> (18 - 6 * j) & 63u] : '=';
    }
  }
  return out;
}

std::string number(double value, int digits) { return fmt::format("{:.{}g}", value, digits); }

std::string shell_quote(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::vector<double> round_ticks(double low, double high, int count) {
  if (!(high > low) || !std::isfinite(high - low)) return {low};
  const double rough = (high - low) / std::max(1, count);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (double i = first; i * step <= high + 1e-9 * step; ++i) ticks.push_back(i * step + 0.0);
  if (ticks.size() < 2) return {low, high};
  return ticks;
}

std::vector<double> log_ticks(double low, double high, int count) {
  // Every `step`-th decade from the first, times each of the digits.
  const auto within = [&](std::initializer_list<double> digits, int step) {
    std::vector<double> ticks;
    for (double e = std::floor(std::log10(low)); e <= std::log10(high); e += step) {
      for (const double digit : digits) {
        const double t = digit * std::pow(10.0, e);
        if (t >= low * (1 - 1e-9) && t <= high * (1 + 1e-9)) ticks.push_back(t);
      }
    }
    return ticks;
  };
  const auto most = static_cast<std::size_t>(std::max(2, count));
  std::vector<double> ticks = within({1, 2, 5}, 1);
  for (int step = 1; ticks.size() > most; ++step) ticks = within({1}, step);
  return ticks.size() < 2 ? round_ticks(low, high, count) : ticks;
}

}  // namespace blurfield::report
