// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/ellipses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "blurfield/report/html.h"

namespace blurfield::report {

Ellipse covariance_ellipse(double yy, double yx, double xx) {
  const double mean = (yy + xx) / 2;
  const double spread = std::hypot((xx - yy) / 2, yx);
  return {std::sqrt(mean + spread), std::sqrt(std::max(0.0, mean - spread)),
          0.5 * std::atan2(2 * yx, xx - yy) * 180.0 / std::numbers::pi};
}

Panel ellipses_panel(const View<const float>& picture, const View<const float>& cov,
                     const PngEncoder& encode, const std::string& caption, int across) {
  require(cov.channels() == 3 && cov.height() == picture.height() && cov.width() == picture.width(),
          "ellipses_panel", "expected a field (1, 3, ", picture.height(), ", ", picture.width(),
          "), got ", cov.shape.text());
  const Index height = picture.height();
  const Index width = picture.width();
  const Index step = std::max<Index>(1, std::max(height, width) / across);
  struct Mark {
    Index y, x;
    Ellipse ellipse;
  };
  std::vector<Mark> marks;
  double largest = 0;
  for (Index y = std::min(step, height) / 2; y < height; y += step) {
    for (Index x = std::min(step, width) / 2; x < width; x += step) {
      marks.push_back(
          {y, x, covariance_ellipse(cov.at(0, 0, y, x), cov.at(0, 1, y, x), cov.at(0, 2, y, x))});
      largest = std::max(largest, marks.back().ellipse.major);
    }
  }
  const double scale = largest > 0 ? 0.48 * static_cast<double>(step) / largest : 1.0;
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" width=\"{2}\" role=\"img\">"
      "<image href=\"{3}\" width=\"{0}\" height=\"{1}\"/>"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#000\" fill-opacity=\".35\"/>"
      "<g fill=\"#fff\" fill-opacity=\".18\" stroke=\"#fff\" stroke-width=\"{4:.3g}\">",
      width, height, std::min(width, kLargestSide), png_address(picture, encode),
      static_cast<double>(std::max(width, height)) / 512.0);
  for (const Mark& m : marks) {
    svg += fmt::format(
        "<ellipse rx=\"{:.2f}\" ry=\"{:.2f}\" transform=\"translate({:.1f} {:.1f}) "
        "rotate({:.1f})\"/>",
        scale * m.ellipse.major, scale * m.ellipse.minor, static_cast<double>(m.x) + 0.5,
        static_cast<double>(m.y) + 0.5, m.ellipse.degrees);
  }
  return {svg + "</g></svg>",
          fmt::format("{} Ellipses of one standard deviation, enlarged {} times; the longest is {} "
                      "pixels.",
                      caption, number(scale, 2), number(largest, 3))};
}

}  // namespace blurfield::report
