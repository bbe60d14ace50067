// SPDX-License-Identifier: BSD-3-Clause
// An open TIFF file whose first error message is kept instead of printed. Inside io only.
#pragma once

#include <tiffio.h>

#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <string>

#include "blurfield/base/error.h"

namespace blurfield::io {

class TiffHandle {
 public:
  // Check it with operator bool. `mode` as TIFFOpen takes it.
  TiffHandle(const std::string& path, const char* mode) {
    TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, &error_);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ignore, nullptr);
    tiff_ = TIFFOpenExt(path.c_str(), mode, options);
    TIFFOpenOptionsFree(options);
  }
  TiffHandle(const TiffHandle&) = delete;
  TiffHandle& operator=(const TiffHandle&) = delete;
  ~TiffHandle() {
    if (tiff_) TIFFClose(tiff_);
  }

  explicit operator bool() const { return tiff_ != nullptr; }
  TIFF* get() const { return tiff_; }
  template <class V>
  V tag(std::uint32_t name, V otherwise) const {
    V value{};
    return TIFFGetFieldDefaulted(tiff_, name, &value) ? value : otherwise;
  }
  // Throws Error with the reason alone.
  [[noreturn]] void fail(const char* otherwise = "damaged TIFF file") const {
    throw Error(error_.empty() ? otherwise : error_);
  }

 private:
  static int keep_error(TIFF*, void* text, const char*, const char* format, va_list arguments) {
    auto& error = *static_cast<std::string*>(text);
    if (!error.empty()) return 1;
    std::array<char, 256> line{};
    std::vsnprintf(line.data(), line.size(), format, arguments);
    error = line.data();
    return 1;
  }
  static int ignore(TIFF*, void*, const char*, const char*, va_list) { return 1; }

  std::string error_;
  TIFF* tiff_ = nullptr;
};

}  // namespace blurfield::io
