// SPDX-License-Identifier: BSD-3-Clause
// Opening an image file with libvips: what it is, as grey or RGB. Inside the libvips part of io
// only.
#pragma once

#include <memory>
#include <string>
#include <vips/vips8>

#include "blurfield/io/picture.h"
#include "blurfield/io/tiff_file.h"

namespace blurfield::io {

// An opened file: its pages one below the other, as stored, nothing decoded yet.
struct VipsOpened {
  std::shared_ptr<TiffRows> rows;  // what `image` reads from, if not null
  vips::VImage image;
  Info info;
  int orientation = 1;  // EXIF's, 1..8
  bool premultiplied = false;
};

// Opens for sequential reading. Unless it is a `map`, CMYK, Lab and their like become sRGB, with
// 16 bits unless the file has 8. Throws Error or vips::VError.
VipsOpened open_vips(const std::string& path, const std::string& format, bool map);

}  // namespace blurfield::io
