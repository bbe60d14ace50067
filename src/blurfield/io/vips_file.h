// SPDX-License-Identifier: BSD-3-Clause
// All formats but FITS, through libvips. Inside io only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"
#include "blurfield/io/rows/row_reader.h"
#include "blurfield/io/rows/tiff_writer.h"
#include "blurfield/io/sample.h"

namespace blurfield::io {

// `format` as file_format() tells it.
Info probe_vips(const std::string& path, const std::string& format);

// load_picture and load_map.
template <class T>
Picture<T> load_vips(const std::string& path, const std::string& format,
                     const LoadOptions& options);

// read_picture_rows and read_map_rows.
template <class T>
std::unique_ptr<RowReader<T>> vips_rows(const std::string& path, const std::string& format,
                                        const LoadOptions& options);

// Writes `format` ("png", "jpeg", "tiff" or "webp") to `path`, a file that may be overwritten;
// errors name `shown_path`. What the format can hold has been checked.
template <class T>
void save_vips(const std::string& path, const std::string& shown_path, const std::string& format,
               const View<const T>& pixels, const SaveOptions& options);

// Makes `format` ("png" or "jpeg") of a TIFF file of the samples to be stored, in the same way.
void convert_vips(const std::string& tiff, const std::string& path, const std::string& shown_path,
                  const std::string& format, const SaveOptions& options);

// What a TIFF file of so many channels takes over from options.metadata.
TiffTags tiff_tags_vips(const SaveOptions& options, Index channels);

std::vector<std::uint8_t> encode_png_vips(const View<const float>& pixels);

}  // namespace blurfield::io
