// SPDX-License-Identifier: BSD-3-Clause
// Panels of pixels: pictures, enlarged crops, and maps painted in perceptual colours beside a
// colour bar. Pixels are embedded as PNG, which the caller encodes (io::encode_png).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "blurfield/base/image.h"
#include "blurfield/report/colour_map.h"
#include "blurfield/report/page.h"

namespace blurfield::report {

// A picture in 0..1, (1, 1 | 3, H, W), to the bytes of a PNG file.
using PngEncoder = std::function<std::vector<std::uint8_t>(const View<const float>&)>;

// Greatest side of an embedded picture; a larger one is shrunk by averaging whole blocks.
inline constexpr Index kLargestSide = 1024;

// Means of factor x factor blocks; a rest at the right and bottom is dropped.
Image<float> shrink(const View<const float>& picture, Index factor);

// The picture as a "data:image/png;base64,..." address.
std::string png_address(const View<const float>& picture, const PngEncoder& encode);

// A picture (1, 1 | 3, H, W) in 0..1, `zoom` CSS pixels per pixel, without smoothing if zoom > 1.
Panel picture_panel(const View<const float>& picture, const PngEncoder& encode,
                    const std::string& caption, int zoom = 1);

// Channel `channel` of a map (1, C, H, W), painted over `range`, or its own, with a labelled colour
// bar whose last label bears the unit.
Panel map_panel(const View<const float>& values, Index channel, ColourMap map,
                const std::string& unit, const PngEncoder& encode, const std::string& caption,
                const std::optional<Range>& range = {});

// A window on rows y.., columns x.. of a picture.
struct Crop {
  Index y = 0;
  Index x = 0;
  Index height = 0;
  Index width = 0;
};
View<const float> crop(const View<const float>& picture, const Crop& window);

// The size x size window (or smaller, where the picture is) on a half-window grid in which two
// pictures of one shape differ most in the mean square.
Crop most_changed(const View<const float>& a, const View<const float>& b, Index size);

}  // namespace blurfield::report
