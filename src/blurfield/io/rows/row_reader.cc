// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/row_reader.h"

#include "blurfield/io/file_kind.h"
#include "blurfield/io/fits_file.h"
#include "blurfield/io/vips_file.h"

namespace blurfield::io {
namespace {

template <class T>
std::unique_ptr<RowReader<T>> read_rows(const std::string& path, const LoadOptions& options) {
  const std::string format = file_format(path);
  return format == "fits" ? fits_rows<T>(path, options) : vips_rows<T>(path, format, options);
}

}  // namespace

template <class T>
void RowReader<T>::check(Index page, Index first, const View<T>& rows) const {
  require(page >= 0 && page < shape_[0] && first >= 0 && first + rows.height() <= shape_[2],
          "RowReader", "expected rows of ", shape_.text(), ", got ", rows.height(), " from (", page,
          ", ", first, ")");
  require(rows.batch() == 1 && rows.channels() == shape_[1] && rows.width() == shape_[3] &&
              rows.x_stride() == 1,
          "RowReader", "expected room for (1, ", shape_[1], ", rows, ", shape_[3], "), got ",
          rows.shape.text());
}

template <class T>
std::unique_ptr<RowReader<T>> read_picture_rows(const std::string& path) {
  return read_rows<T>(path, {});
}

template <class T>
std::unique_ptr<RowReader<T>> read_map_rows(const std::string& path, bool normalise) {
  return read_rows<T>(path, {.map = true, .normalise = normalise});
}

#define BLURFIELD_INSTANTIATE(T)                                                \
  template class RowReader<T>;                                                  \
  template std::unique_ptr<RowReader<T>> read_picture_rows(const std::string&); \
  template std::unique_ptr<RowReader<T>> read_map_rows(const std::string&, bool);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::io
