// SPDX-License-Identifier: BSD-3-Clause
#include "apps/filter_montage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/filter_weights.h"
#include "blurfield/io/text_picture.h"
#include "blurfield/report/html.h"
#include "blurfield/report/panel.h"

namespace blurfield::app {
namespace {

constexpr Index kColumns = 5;
constexpr Index kUsualSize = 7;       // of the filters
constexpr Index kLargestTile = 512;   // pixels
constexpr Index kLongestTile = 4096;  // where only shortening would make it smaller
constexpr Index kSmallestTile = 128;
constexpr Index kGap = 16;
constexpr Index kLineGap = 5;
constexpr Index kText = 16;  // pixels per em, more where tiles are large
constexpr float kInk = 0.0f;
constexpr float kGrey = 0.35f;

std::vector<float> magnitudes(const Image<float>& image) {
  std::vector<float> values(image.data(), image.data() + image.elements());
  for (float& v : values) v = std::abs(v);
  return values;
}

// The value that 99 of 100 responses do not exceed, up to two digits; 1 where that is `rounding`.
double usual_magnitude(const Image<float>& response, double rounding) {
  std::vector<float> values = magnitudes(response);
  const auto rank = values.begin() + (response.elements() - 1) * 99 / 100;
  std::nth_element(values.begin(), rank, values.end());
  if (!(*rank > rounding)) return 1;
  const double unit = std::pow(10, std::floor(std::log10(*rank)) - 1);
  return unit * std::ceil(*rank / unit);
}

// Kernels of positive sum keep brightness 1 white; mid-grey is 0 for the others.
Scaling scaling_of(const Image<double>& kernel, const Image<float>& picture,
                   const Image<float>& response) {
  const WeightSums sums = sums_of(kernel);
  if (sums.magnitude == 0 || std::abs(sums.sum - 1) < 1e-9) return {};
  if (sums.positive()) return {0, sums.sum};
  const std::vector<float> values = magnitudes(picture);
  const double largest = *std::max_element(values.begin(), values.end());
  return {0.5, 2 * usual_magnitude(response, 1e-5 * sums.magnitude * largest)};
}

Image<float> drawn(const Image<float>& response, const Scaling& scaling) {
  Image<float> picture(response.view());
  std::transform(picture.data(), picture.data() + picture.elements(), picture.data(), [&](float v) {
    return static_cast<float>(std::clamp(scaling.offset + v / scaling.divisor, 0.0, 1.0));
  });
  return picture;
}

// Each pixel of `picture` becomes zoom x zoom pixels of the sheet; a grey picture fills all
// channels.
void paste(const View<const float>& picture, Index zoom, Index y, Index x,
           const View<float>& sheet) {
  for (Index c = 0; c < sheet.channels(); ++c) {
    const Index from = std::min(c, picture.channels() - 1);
    for (Index i = 0; i < picture.height() * zoom; ++i) {
      for (Index j = 0; j < picture.width() * zoom; ++j) {
        sheet.at(0, c, y + i, x + j) = picture.at(0, from, i / zoom, j / zoom);
      }
    }
  }
}

struct Label {
  Image<float> cover;
  float shade = kInk;
  Index height() const { return cover.shape()[2]; }
  Index width() const { return cover.shape()[3]; }
};

// One below the other.
using Labels = std::vector<Label>;
Index height_of(const Labels& labels) {
  Index height = 0;
  for (const Label& label : labels) height += label.height() + kLineGap;
  return height;
}
Index width_of(const Labels& labels) {
  Index width = 0;
  for (const Label& label : labels) width = std::max(width, label.width());
  return width;
}
void write(const Labels& labels, Index y, Index x, const View<float>& sheet) {
  for (const Label& label : labels) {
    for (Index c = 0; c < sheet.channels(); ++c) {
      for (Index i = 0; i < label.height(); ++i) {
        for (Index j = 0; j < label.width(); ++j) {
          float& paper = sheet.at(0, c, y + i, x + j);
          paper += (label.shade - paper) * label.cover.view().at(0, 0, i, j);
        }
      }
    }
    y += label.height() + kLineGap;
  }
}

// Where everything goes.
struct Layout {
  Labels header;
  std::vector<Labels> labels;  // above each tile
  Index zoom = 1;
  Index tile_height = 0;
  Index tile_width = 0;

  Index cell_width() const {
    Index width = tile_width;
    for (const Labels& one : labels) width = std::max(width, width_of(one));
    return width + kGap;
  }
  Index label_height() const {
    Index height = 0;
    for (const Labels& one : labels) height = std::max(height, height_of(one));
    return height;
  }
  Index cell_height() const { return label_height() + tile_height + kGap; }
  Index top() const { return kGap + height_of(header) + kGap; }
  Index rows() const { return (static_cast<Index>(labels.size()) + kColumns - 1) / kColumns; }
  Index height() const { return top() + rows() * cell_height(); }
  Index width() const { return kGap + std::max(kColumns * cell_width(), width_of(header) + kGap); }
};

Layout lay_out(const std::string& title, Index factor, const Shape& tile,
               const report::Range& range, const std::vector<Tile>& tiles) {
  Layout layout;
  layout.zoom = std::max<Index>(1, kSmallestTile / std::max(tile[2], tile[3]));
  layout.tile_height = layout.zoom * tile[2];
  layout.tile_width = layout.zoom * tile[3];
  const auto size =
      static_cast<int>(std::max(kText, std::min(layout.tile_width, kLargestTile) / 20));
  const auto large = [&](const std::string& text) {
    return Label{io::text_picture(text, size, true), kInk};
  };
  const auto small = [&](const std::string& text) {
    return Label{io::text_picture(text, size * 4 / 5), kGrey};
  };
  layout.header.push_back(large(title));
  layout.header.push_back(small(
      fmt::format("{}{} x {} pixels", factor > 1 ? fmt::format("shrunk to 1/{}: ", factor) : "",
                  tile[2], tile[3])));
  if (range.low != 0 || range.high != 1) {
    layout.header.push_back(
        small(fmt::format("Its values {:.6g}..{:.6g} are shown as 0..1; responses v are of that.",
                          range.low, range.high)));
  }
  layout.header.push_back(
      small("Each label tells what is shown of the response v, 0 as black and 1 as white;"));
  layout.header.push_back(
      small("where it is 0.5 + v / s, mid-grey is no response, and 1 pixel in 100 is clipped."));
  for (const Tile& one : tiles) {
    layout.labels.emplace_back();
    layout.labels.back().push_back(large(one.name));
    layout.labels.back().push_back(
        small(fmt::format("{0} x {0}, {1}", one.size, one.scaling.text())));
  }
  return layout;
}

Image<float> response_to(const View<const float>& picture, const Image<double>& kernel,
                         const CorrelateOptions& options) {
  Image<float> taps(kernel.shape());
  std::transform(kernel.data(), kernel.data() + kernel.elements(), taps.data(),
                 [](double w) { return static_cast<float>(w); });
  return correlate<float>(picture, taps, options);
}

}  // namespace

std::string Scaling::text() const {
  const std::string start = offset == 0 ? "" : report::number(offset) + " + ";
  return start + (divisor == 1 ? "v" : "v / " + report::number(divisor, 3));
}

Montage make_montage(const FilterRequest& request, const std::string& title,
                     const View<const float>& picture, const report::Range& range,
                     const Execution& execution) {
  const Index side = std::max(picture.height(), picture.width());
  const Index factor =
      std::min({(side + kLargestTile - 1) / kLargestTile, picture.height(), picture.width()});
  if (side / factor > kLongestTile) {
    throw Error(message(request.in, ": --bank expects an image that is less elongated, got ",
                        picture.height(), " x ", picture.width()));
  }
  const Image<float> shrunk = report::shrink(picture, factor);
  CorrelateOptions options = correlate_options(request);
  Montage montage;
  montage.range = range;
  std::vector<Image<float>> pictures;
  const auto filters = filter_bank();
  for (const Filter& filter : filters) {
    const auto done = static_cast<double>(pictures.size());
    options.execution = execution;
    options.execution.progress = [&](double fraction) {
      return execution.progress((done + fraction) / static_cast<double>(filters.size()));
    };
    const Index size = filter_size(request, filter, kUsualSize);
    const Image<double> kernel = make_filter(filter.name, size, request.sigma);
    const Image<float> response = response_to(shrunk, kernel, options);
    montage.tiles.push_back({std::string(filter.name), size, scaling_of(kernel, shrunk, response)});
    pictures.push_back(drawn(response, montage.tiles.back().scaling));
  }

  const Layout layout = lay_out(title, factor, shrunk.shape(), range, montage.tiles);
  montage.tile_height = layout.tile_height;
  montage.tile_width = layout.tile_width;
  montage.sheet = Image<float>({1, picture.channels(), layout.height(), layout.width()});
  std::fill_n(montage.sheet.data(), montage.sheet.elements(), 1.0f);
  write(layout.header, kGap, kGap, montage.sheet);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    Tile& tile = montage.tiles[i];
    const Index top = layout.top() + static_cast<Index>(i) / kColumns * layout.cell_height();
    tile.y = top + layout.label_height();
    tile.x = kGap + static_cast<Index>(i) % kColumns * layout.cell_width();
    write(layout.labels[i], top, tile.x, montage.sheet);
    paste(pictures[i], layout.zoom, tile.y, tile.x, montage.sheet);
  }
  return montage;
}

}  // namespace blurfield::app
