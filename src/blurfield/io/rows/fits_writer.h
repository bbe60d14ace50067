// SPDX-License-Identifier: BSD-3-Clause
// FITS images written by rows. Inside the FITS part of io only.
#pragma once

#include "blurfield/io/rows/fits_handle.h"
#include "blurfield/io/rows/row_writer.h"

namespace blurfield::io {

// One image HDU in a file that may be replaced.
template <class T>
class FitsWriter final : public RowWriter<T> {
 public:
  // The image is (pages, C, H, W), or (1, C, L) as one row. Errors name `shown_path`.
  FitsWriter(const std::string& path, const std::string& shown_path, const Shape& shape,
             const SaveOptions& options);

  void write(const View<const T>& rows) override;
  void finish() override;

 private:
  std::string path_;
  std::string shown_path_;
  Shape shape_;  // (pages, C, H, W)
  FitsStatus status_;
  FitsHandle handle_;
  const FitsType& type_;
  double scale_;
  Index next_ = 0;  // row, of all pages
};

}  // namespace blurfield::io
