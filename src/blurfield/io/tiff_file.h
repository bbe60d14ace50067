// SPDX-License-Identifier: BSD-3-Clause
// What libvips neither tells nor reads of TIFF files, through libtiff. Inside io only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"

namespace blurfield::io {

enum class TiffAlpha { none, straight, premultiplied };

// Whether the last sample of the first page is alpha: the only one that the file calls so.
TiffAlpha tiff_alpha(const std::string& path);

// libvips marks every sample beyond colour as alpha: leaves only the last one so, if `alpha`.
// Throws Error with the reason alone.
void mark_extra_samples(const std::string& path, bool alpha);

// Reader of the grey and RGB TIFF files that libvips fails on: 64-bit floats, which it refuses,
// separate planes, whose rows it mixes up, and premultiplied alpha, which it divides by with the
// wrong scale or a loss.
class TiffRows {
 public:
  struct Header {
    int width = 0, height = 0, bands = 0, pages = 0, orientation = 1;
    bool rgb = false;
    Sample sample = Sample::f64;
    double x_resolution = 1.0, y_resolution = 1.0;  // pixels per mm
    std::vector<char> profile, xmp;
  };

  // Null if the file is damaged or another one. Throws Error with the reason alone if
  // its pages differ.
  static std::unique_ptr<TiffRows> open(const std::string& path);
  ~TiffRows();

  const Header& header() const;
  // Row y of a page, bands interleaved; best asked for in order. Throws Error with the reason.
  const void* row(int page, int y);

 private:
  struct State;
  explicit TiffRows(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace blurfield::io
