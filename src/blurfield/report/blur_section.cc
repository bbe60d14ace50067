// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/blur_section.h"

#include <fmt/format.h>

#include <algorithm>

#include "blurfield/report/curve.h"
#include "blurfield/report/ellipses.h"

namespace blurfield::report {
namespace {

constexpr Index kCropSide = 96;
constexpr Index kCropShown = 384;  // CSS pixels

// Brightness along a row: the mean of the channels.
Curve profile(const View<const float>& picture, Index y, const std::string& name) {
  Curve curve{name, {}, {}};
  for (Index x = 0; x < picture.width(); ++x) {
    double sum = 0;
    for (Index c = 0; c < picture.channels(); ++c) sum += picture.at(0, c, y, x);
    curve.x.push_back(static_cast<double>(x));
    curve.y.push_back(sum / static_cast<double>(picture.channels()));
  }
  return curve;
}

}  // namespace

std::vector<Panel> field_panels(const View<const float>& picture, const View<const float>& field,
                                const std::string& caption, const PngEncoder& encode) {
  if (field.channels() == 3) return {ellipses_panel(picture, field, encode, caption)};
  const auto sigma = [&](Index channel, const std::string& axis) {
    return map_panel(field, channel, ColourMap::viridis, "px", encode, caption + axis);
  };
  if (field.channels() == 1) return {sigma(0, "")};
  return {sigma(0, " Along y."), sigma(1, " Along x.")};
}

void add_blur_section(Page& page, const BlurSection& section, const PngEncoder& encode) {
  page.section(section.heading);
  if (!section.text.empty()) page.paragraph(section.text);
  std::vector<Panel> panels{picture_panel(section.input, encode, "Input.")};
  if (!section.field.empty()) {
    const auto maps = field_panels(section.input, section.field, section.field_caption, encode);
    panels.insert(panels.end(), maps.begin(), maps.end());
  }
  panels.push_back(picture_panel(section.result, encode, "Result."));
  page.figure(panels);

  std::vector<Crop> windows = section.crops;
  if (windows.empty()) windows = {most_changed(section.input, section.result, kCropSide)};
  std::vector<Panel> enlarged;
  for (const Crop& window : windows) {
    const auto zoom =
        static_cast<int>(std::max<Index>(1, kCropShown / std::max(window.height, window.width)));
    const std::string where =
        fmt::format("rows {}..{}, columns {}..{}, enlarged {} times.", window.y,
                    window.y + window.height - 1, window.x, window.x + window.width - 1, zoom);
    enlarged.push_back(picture_panel(crop(section.input, window), encode, "Input, " + where, zoom));
    enlarged.push_back(
        picture_panel(crop(section.result, window), encode, "Result, " + where, zoom));
  }
  page.figure(enlarged);
  const Index row = windows[0].y + windows[0].height / 2;
  page.figure(
      {curve_panel({profile(section.input, row, "input"), profile(section.result, row, "result")},
                   {"x (pixels)", "mean of the channels", 760, 260},
                   fmt::format("Brightness along row {}.", row))});
  if (!section.table.empty()) page.table(section.table);
  if (!section.command.empty()) page.code(section.command);
}

}  // namespace blurfield::report
