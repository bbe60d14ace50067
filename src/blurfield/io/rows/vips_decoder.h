// SPDX-License-Identifier: BSD-3-Clause
// Pixels of a file that libvips has opened. Inside the libvips part of io only.
#pragma once

#include "blurfield/base/view.h"
#include "blurfield/io/sample.h"
#include "blurfield/io/vips_open.h"

namespace blurfield::io {

class VipsDecoder {
 public:
  // Pixels are those of load_picture or load_map.
  VipsDecoder(VipsOpened opened, const LoadOptions& options);

  const VipsOpened& opened() const { return opened_; }
  double divisor() const { return divisor_; }  // of the samples
  Index bands() const { return opened_.image.bands(); }
  // As stored: pages stand one below the other.
  Index page_height() const { return opened_.image.height() / opened_.info.pages; }
  Index width() const { return opened_.image.width(); }
  Index next() const { return next_; }  // the first row that can be had

  // Decodes the next rows, as stored, into (1, bands, rows, width) of any strides. Throws
  // vips::VError.
  template <class T>
  void read(const View<T>& rows);
  void skip(Index rows);

 private:
  void prepare(Index top, Index rows);

  VipsOpened opened_;
  double divisor_;
  bool unpremultiply_;
  Index next_ = 0;
  std::unique_ptr<VipsRegion, void (*)(VipsRegion*)> region_;
};

}  // namespace blurfield::io
