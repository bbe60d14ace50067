// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/fits_handle.h"

#include <array>
#include <utility>

namespace blurfield::io {

FitsStatus::FitsStatus(std::string path, const char* doing)
    : path_(std::move(path)), doing_(doing) {}

void FitsStatus::check() {
  if (status_ == 0) return;
  std::array<char, FLEN_STATUS> text{};
  fits_get_errstatus(status_, text.data());
  fits_clear_errmsg();
  const int number = std::exchange(status_, 0);
  throw Error(message(path_, ": ", doing_, ": ", text.data(), " (CFITSIO ", number, ")"));
}

FitsHandle::~FitsHandle() {
  int ignored = 0;
  if (file) fits_close_file(file, &ignored);
  fits_clear_errmsg();
}

}  // namespace blurfield::io
