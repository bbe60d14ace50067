// SPDX-License-Identifier: BSD-3-Clause
// Pictures that examples make of arrays, and files.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"

namespace blurfield::examples {

// The last two axes of an array, at index k of all others together, as an image (1, 1, h, w).
template <class T>
View<const T> as_image(const Image<T>& array, Index k) {
  const Shape& s = array.shape();
  const Shape plane{1, 1, s[s.rank() - 2], s[s.rank() - 1]};
  return {array.data() + k * plane.elements(), plane};
}

enum class Tone {
  light,  // 0 is black
  ink,    // 0 is white
  both,   // 0 is mid-grey, negative values are darker
};

// Values as grey; what 99 of 100 do not exceed spans the tones, the rest is clipped.
inline Image<float> grey(const View<const double>& values, Tone tone) {
  const Image<double> packed(values);
  std::vector<double> sizes(packed.data(), packed.data() + packed.elements());
  for (double& v : sizes) v = std::abs(v);
  const auto rank = sizes.end() - 1 - (packed.elements() - 1) / 100;
  std::nth_element(sizes.begin(), rank, sizes.end());
  const double most = std::max(*rank, 1e-30);
  Image<float> picture(values.shape);
  std::transform(packed.data(), packed.data() + packed.elements(), picture.data(), [&](double v) {
    const double light = tone == Tone::both ? 0.5 + 0.5 * v / most : v / most;
    return static_cast<float>(std::clamp(tone == Tone::ink ? 1 - light : light, 0.0, 1.0));
  });
  return picture;
}

// Values as grey, `low` black and `high` white; the rest is clipped.
inline Image<float> grey(const View<const double>& values, double low, double high) {
  const Image<double> packed(values);
  Image<float> picture(values.shape);
  std::transform(packed.data(), packed.data() + packed.elements(), picture.data(), [&](double v) {
    return static_cast<float>(std::clamp((v - low) / (high - low), 0.0, 1.0));
  });
  return picture;
}

// For what takes float: maps in colours.
inline Image<float> as_float(const View<const double>& values) {
  const Image<double> packed(values);
  Image<float> result(values.shape);
  std::copy_n(packed.data(), packed.elements(), result.data());
  return result;
}

inline Image<double> as_double(const View<const float>& values) {
  const Image<float> packed(values);
  Image<double> result(values.shape);
  std::copy_n(packed.data(), packed.elements(), result.data());
  return result;
}

// Every pixel as a square of factor x factor.
inline Image<float> magnify(const View<const float>& picture, Index factor) {
  const Shape& s = picture.shape;
  Image<float> large({s[0], s[1], s[2] * factor, s[3] * factor});
  const View<float> out = large;
  for (Index c = 0; c < s[1]; ++c) {
    for (Index y = 0; y < s[2] * factor; ++y) {
      for (Index x = 0; x < s[3] * factor; ++x) {
        out.at(0, c, y, x) = picture.at(0, c, y / factor, x / factor);
      }
    }
  }
  return large;
}

// Pictures of one size, row by row, white between them.
inline Image<float> montage(const std::vector<View<const float>>& pictures, Index columns) {
  constexpr Index kGap = 4;
  const Index height = pictures[0].height();
  const Index width = pictures[0].width();
  const auto count = static_cast<Index>(pictures.size());
  const Index lines = (count + columns - 1) / columns;
  Image<float> sheet({1, 1, lines * (height + kGap) - kGap, columns * (width + kGap) - kGap});
  std::fill_n(sheet.data(), sheet.elements(), 1.0f);
  for (Index i = 0; i < count; ++i) {
    View<float> place = sheet;
    place.data += i / columns * (height + kGap) * place.y_stride() + i % columns * (width + kGap);
    place.shape = pictures[static_cast<std::size_t>(i)].shape;
    copy(pictures[static_cast<std::size_t>(i)], place);
  }
  return sheet;
}

inline void save_text(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw Error(path + ": cannot write");
}

// Over a file that may exist.
inline void save_png(const std::string& path, const View<const float>& picture) {
  io::SaveOptions options;
  options.overwrite = true;
  io::save<float>(path, picture, options);
}

}  // namespace blurfield::examples
