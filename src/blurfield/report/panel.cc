// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "blurfield/report/html.h"

namespace blurfield::report {
namespace {

std::string colour_bar(ColourMap map, const Range& range, const std::string& unit) {
  // Three where five such as 1.25e-05 would run into each other.
  const double tiny = std::max(std::abs(range.low), std::abs(range.high));
  const int labels = tiny < 1e-3 || tiny >= 1e5 ? 3 : 5;
  std::string html =
      fmt::format("<div class=\"bar\" style=\"background:{}\"></div>", css_gradient(map));
  html += "<div class=\"ticks\">";
  for (int i = 0; i < labels; ++i) {
    const bool last = i == labels - 1;
    const double v = range.low + (range.high - range.low) * i / (labels - 1);
    html +=
        fmt::format("<span>{}{}{}</span>", number(v, 3), last ? " " : "", last ? escape(unit) : "");
  }
  return html + "</div>";
}

}  // namespace

Image<float> shrink(const View<const float>& picture, Index factor) {
  Image<float> small({1, picture.channels(), picture.height() / factor, picture.width() / factor});
  const View<float> out = small.view();
  for (Index c = 0; c < out.channels(); ++c) {
    for (Index y = 0; y < out.height(); ++y) {
      for (Index x = 0; x < out.width(); ++x) {
        double sum = 0;
        for (Index i = 0; i < factor * factor; ++i) {
          sum += picture.at(0, c, y * factor + i / factor, x * factor + i % factor);
        }
        out.at(0, c, y, x) = static_cast<float>(sum / static_cast<double>(factor * factor));
      }
    }
  }
  return small;
}

std::string png_address(const View<const float>& picture, const PngEncoder& encode) {
  const Index side = std::max(picture.height(), picture.width());
  const Index factor =
      std::min({(side + kLargestSide - 1) / kLargestSide, picture.height(), picture.width()});
  // The encoder gets packed pixels: a crop is a strided view.
  const Image<float> packed = factor > 1 ? shrink(picture, factor) : Image<float>(picture);
  return "data:image/png;base64," + base64(encode(packed.view()));
}

Panel picture_panel(const View<const float>& picture, const PngEncoder& encode,
                    const std::string& caption, int zoom) {
  const std::string html =
      fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"{}>",
                  png_address(picture, encode), picture.width() * zoom, picture.height() * zoom,
                  escape(caption), zoom > 1 ? " class=\"pixels\"" : "");
  return {html, caption};
}

Panel map_panel(const View<const float>& values, Index channel, ColourMap map,
                const std::string& unit, const PngEncoder& encode, const std::string& caption,
                const std::optional<Range>& range) {
  const Range shown = range.value_or(value_range(values, 0, channel));
  Panel panel = picture_panel(paint(values, map, shown, 0, channel).view(), encode, caption);
  panel.html += colour_bar(map, shown, unit);
  return panel;
}

View<const float> crop(const View<const float>& picture, const Crop& window) {
  require(window.y >= 0 && window.x >= 0 && window.height > 0 && window.width > 0 &&
              window.y + window.height <= picture.height() &&
              window.x + window.width <= picture.width(),
          "crop", "expected a window within ", picture.shape.text(), ", got ", window.height, " x ",
          window.width, " at (y, x) = (", window.y, ", ", window.x, ")");
  View<const float> part = picture;
  part.data = picture.row(0, 0, window.y) + window.x * picture.x_stride();
  part.shape[picture.rank() - 2] = window.height;
  part.shape[picture.rank() - 1] = window.width;
  return part;
}

Crop most_changed(const View<const float>& a, const View<const float>& b, Index size) {
  require(a.shape == b.shape, "most_changed", "expected equal shapes, got ", a.shape.text(),
          " and ", b.shape.text());
  Crop window{0, 0, std::min(size, a.height()), std::min(size, a.width())};
  Crop best = window;
  double most = -1;
  for (window.y = 0; window.y + window.height <= a.height(); window.y += (window.height + 1) / 2) {
    for (window.x = 0; window.x + window.width <= a.width(); window.x += (window.width + 1) / 2) {
      double sum = 0;
      for (Index c = 0; c < a.channels(); ++c) {
        for (Index y = window.y; y < window.y + window.height; ++y) {
          for (Index x = window.x; x < window.x + window.width; ++x) {
            const double d = a.at(0, c, y, x) - b.at(0, c, y, x);
            sum += d * d;
          }
        }
      }
      if (sum > most) {
        most = sum;
        best = window;
      }
    }
  }
  return best;
}

}  // namespace blurfield::report
