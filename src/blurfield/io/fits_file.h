// SPDX-License-Identifier: BSD-3-Clause
// FITS images through CFITSIO: NAXIS1..4 are x, y, channel and page; row 1 is y = 0. Inside io
// only.
#pragma once

#include <memory>
#include <string>

#include "blurfield/io/picture.h"
#include "blurfield/io/rows/row_reader.h"
#include "blurfield/io/sample.h"

namespace blurfield::io {

// The first HDU that holds an image.
Info probe_fits(const std::string& path);

// load_picture and load_map. BZERO and BSCALE are applied, BLANK becomes NaN.
template <class T>
Picture<T> load_fits(const std::string& path, const LoadOptions& options);

// read_picture_rows and read_map_rows.
template <class T>
std::unique_ptr<RowReader<T>> fits_rows(const std::string& path, const LoadOptions& options);

// Writes one image HDU to `path`, a file that may be replaced; errors name `shown_path`.
template <class T>
void save_fits(const std::string& path, const std::string& shown_path, const View<const T>& pixels,
               const SaveOptions& options);

}  // namespace blurfield::io
