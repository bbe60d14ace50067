// SPDX-License-Identifier: BSD-3-Clause
// What save() takes over from a loaded file. Inside io only.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace blurfield::io {

struct VipsHeader;  // profile, resolution, EXIF, XMP; see vips_file.h

struct Metadata {
  std::shared_ptr<const VipsHeader> header;  // null for FITS
  std::vector<std::string> cards;            // FITS header cards, 80 characters, none structural
  int axes = 0;                              // FITS: NAXIS; 0 for other formats
  bool physical = false;                     // pixels are in a FITS file's units
  double white = 1.0;                        // the pixel value of a full-scale integer sample
};

}  // namespace blurfield::io
