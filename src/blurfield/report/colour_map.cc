// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/colour_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace blurfield::report {
namespace {

// Ten equidistant colours of matplotlib's maps of these names, by Stefan van der Walt, Nathaniel
// Smith and Eric Firing (CC0), interpolated linearly between.
constexpr std::array<std::uint32_t, 10> kViridis = {0x440154, 0x482878, 0x3e4989, 0x31688e,
                                                    0x26828e, 0x1f9e89, 0x35b779, 0x6ece58,
                                                    0xb5de2b, 0xfde725};
constexpr std::array<std::uint32_t, 10> kMagma = {0x000004, 0x180f3d, 0x440f76, 0x721f81, 0x9e2f7f,
                                                  0xcd4071, 0xf1605d, 0xfd9668, 0xfeca8d, 0xfcfdbf};

const std::array<std::uint32_t, 10>& table(ColourMap map) {
  return map == ColourMap::viridis ? kViridis : kMagma;
}

float channel_of(std::uint32_t rgb, std::size_t c) {
  return static_cast<float>(rgb >> (16 - 8 * c) & 255u) / 255.0f;
}

}  // namespace

std::array<float, 3> colour(ColourMap map, double value) {
  const auto& points = table(map);
  const double at = std::clamp(value, 0.0, 1.0) * static_cast<double>(points.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(at), points.size() - 2);
  const auto f = static_cast<float>(at - static_cast<double>(i));
  std::array<float, 3> rgb{};
  for (std::size_t c = 0; c < 3; ++c) {
    rgb[c] = (1 - f) * channel_of(points[i], c) + f * channel_of(points[i + 1], c);
  }
  return rgb;
}

Range value_range(const View<const float>& values, Index n, Index channel) {
  bool any = false;
  Range range{0, 0};
  for (Index y = 0; y < values.height(); ++y) {
    for (Index x = 0; x < values.width(); ++x) {
      const double v = values.at(n, channel, y, x);
      if (!std::isfinite(v)) continue;
      range.low = any ? std::min(range.low, v) : v;
      range.high = any ? std::max(range.high, v) : v;
      any = true;
    }
  }
  return range;
}

Image<float> paint(const View<const float>& values, ColourMap map, const Range& range, Index n,
                   Index channel) {
  Image<float> picture({1, 3, values.height(), values.width()});
  const View<float> out = picture.view();
  const double span = range.high > range.low ? range.high - range.low : 1.0;
  for (Index y = 0; y < values.height(); ++y) {
    for (Index x = 0; x < values.width(); ++x) {
      const double v = values.at(n, channel, y, x);
      const auto rgb = std::isfinite(v) ? colour(map, (v - range.low) / span)
                                        : std::array<float, 3>{0.5f, 0.5f, 0.5f};
      for (Index c = 0; c < 3; ++c) out.at(0, c, y, x) = rgb[static_cast<std::size_t>(c)];
    }
  }
  return picture;
}

std::string css_gradient(ColourMap map) {
  std::string css = "linear-gradient(to right";
  for (const std::uint32_t rgb : table(map)) css += fmt::format(", #{:06x}", rgb);
  return css + ")";
}

}  // namespace blurfield::report
