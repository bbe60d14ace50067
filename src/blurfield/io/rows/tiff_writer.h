// SPDX-License-Identifier: BSD-3-Clause
// Tiled TIFF files written by rows, through libtiff. Inside io only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"
#include "blurfield/io/rows/tiff_handle.h"

namespace blurfield::io {

// What a file holds beside its pixels; empty: nothing of the kind.
struct TiffTags {
  std::vector<std::uint8_t> profile, xmp, iptc;
  std::string description;
  double x_resolution = 1.0, y_resolution = 1.0;  // pixels per mm
  bool inches = false;                            // the resolution's unit, else centimetres
};

// Integers are compressed. The low bits of floats are as good as noise: those are not.
class TiffWriter {
 public:
  // `shape` is (pages, C, H, W); the last channel is alpha if `alpha`. Throws Error with the reason
  // alone, as all of these do.
  TiffWriter(const std::string& path, const Shape& shape, Sample sample, bool alpha, TiffTags tags);

  // Room for the samples of the next row, interleaved, and the order to write it.
  void* row();
  void next_row();

  // After the last row.
  void finish();

 private:
  void begin_page();
  void write_tiles();

  TiffHandle tiff_;
  Shape shape_;
  Sample sample_;
  bool alpha_;
  TiffTags tags_;
  Index pixel_bytes_;
  Index page_ = 0;
  Index y_ = 0;             // the next row of the page
  std::vector<char> rows_;  // a row of tiles, as rows
  std::vector<char> tile_;
};

}  // namespace blurfield::io
