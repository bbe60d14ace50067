// SPDX-License-Identifier: BSD-3-Clause
// All formats but FITS, through libvips. Inside io only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"
#include "blurfield/io/sample.h"

namespace blurfield::io {

// `format` as file_format() tells it.
Info probe_vips(const std::string& path, const std::string& format);

// load_picture and load_map.
template <class T>
Picture<T> load_vips(const std::string& path, const std::string& format,
                     const LoadOptions& options);

// Writes `format` ("png", "jpeg", "tiff" or "webp") to `path`, a file that may be overwritten;
// errors name `shown_path`. What the format can hold has been checked.
template <class T>
void save_vips(const std::string& path, const std::string& shown_path, const std::string& format,
               const View<const T>& pixels, const SaveOptions& options);

std::vector<std::uint8_t> encode_png_vips(const View<const float>& pixels);

}  // namespace blurfield::io
