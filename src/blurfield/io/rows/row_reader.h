// SPDX-License-Identifier: BSD-3-Clause
// Image files read by rows, for images that need not fit in memory.
#pragma once

#include <memory>
#include <string>

#include "blurfield/io/picture.h"

namespace blurfield::io {

template <class T>
class RowReader {
 public:
  RowReader() = default;
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;
  virtual ~RowReader() = default;

  // What load_picture or load_map gives, but for the pixels; and their shape, (pages, C, H, W).
  const Picture<T>& header() const { return header_; }
  const Shape& shape() const { return shape_; }

  // Rows first, first + 1, ... of a page into (1, C, rows, W), packed in x. Pages and rows in
  // ascending order are decoded once. Going back may begin the file again, and rows that are left
  // out are decoded too. Throws Error naming the file and the reason.
  virtual void read(Index page, Index first, const View<T>& rows) = 0;

 protected:
  // Throws Error unless these rows are there.
  void check(Index page, Index first, const View<T>& rows) const;

  Picture<T> header_;
  Shape shape_;
};

// Reads what load_picture reads, without its limit of memory. Throws Error as it does, and where a
// decoder would need the whole image at once: WebP, interlaced PNG, progressive JPEG, compressed
// FITS files, and an orientation that turns rows into columns or upside down.
template <class T>
std::unique_ptr<RowReader<T>> read_picture_rows(const std::string& path);

// The same for load_map; shape() is (1, C, H, W).
template <class T>
std::unique_ptr<RowReader<T>> read_map_rows(const std::string& path, bool normalise);

}  // namespace blurfield::io
