// SPDX-License-Identifier: BSD-3-Clause
// Image files written by rows, for images that need not fit in memory. They appear whole or not at
// all.
#pragma once

#include <memory>
#include <string>

#include "blurfield/io/picture.h"

namespace blurfield::io {

// Without finish() nothing is left of the file.
template <class T>
class RowWriter {
 public:
  RowWriter() = default;
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;
  virtual ~RowWriter() = default;

  // The next rows, (1, C, rows, W), of one page; pages follow one another. Throws Error naming the
  // file and the reason.
  virtual void write(const View<const T>& rows) = 0;

  // Gives the file its name. To be called once, after the last row.
  virtual void finish() = 0;
};

// A file of this shape, (pages, C, H, W), that holds what save() would write of the pixels; a TIFF
// file is tiled, and compressed unless its samples are floats; BigTIFF from 3.5 GB. Other formats
// than TIFF and FITS are made of a temporary TIFF file beside them at the end. Throws Error as
// save() does, and for WebP, which is made in memory.
template <class T>
std::unique_ptr<RowWriter<T>> write_rows(const std::string& path, const Shape& shape,
                                         const SaveOptions& options);

}  // namespace blurfield::io
