// SPDX-License-Identifier: BSD-3-Clause
// Rows of FITS images. Inside the FITS part of io only.
#pragma once

#include "blurfield/io/rows/fits_handle.h"
#include "blurfield/io/rows/row_reader.h"
#include "blurfield/io/sample.h"

namespace blurfield::io {

// Rows may be asked for in any order.
template <class T>
class FitsReader final : public RowReader<T> {
 public:
  // The first HDU that holds an image. Throws Error.
  FitsReader(const std::string& path, const LoadOptions& options);

  void read(Index page, Index first, const View<T>& rows) override;

  // CFITSIO has unpacked the whole file into memory.
  bool in_memory();

 private:
  FitsStatus status_;
  FitsHandle handle_;
  double divisor_ = 1.0;
  bool blanks_ = false;  // pixels without a value are to be found
};

}  // namespace blurfield::io
