// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/fits_file.h"

#include "blurfield/io/memory_limit.h"
#include "blurfield/io/rows/fits_reader.h"
#include "blurfield/io/rows/fits_writer.h"

namespace blurfield::io {
namespace {

// Page n of (pages, C, H, W), of (1, C, L) its only one as a row.
template <class T>
View<T> page_of(const View<T>& pixels, Index n) {
  return {pixels.row(n, 0, 0),
          {1, pixels.channels(), pixels.height(), pixels.width()},
          {0, pixels.stride[1], pixels.y_stride(), pixels.x_stride()}};
}

}  // namespace

Info probe_fits(const std::string& path) { return FitsReader<float>(path, {}).header().info; }

template <class T>
Picture<T> load_fits(const std::string& path, const LoadOptions& options) {
  FitsReader<T> reader(path, options);
  require_memory(reader.header().info, sizeof(T), options.memory);
  Picture<T> picture;
  picture.info = reader.header().info;
  picture.metadata = reader.header().metadata;
  picture.pixels = Image<T>(reader.shape());
  for (Index n = 0; n < reader.shape()[0]; ++n) {
    reader.read(n, 0, page_of(picture.pixels.view(), n));
  }
  return picture;
}

template <class T>
std::unique_ptr<RowReader<T>> fits_rows(const std::string& path, const LoadOptions& options) {
  auto reader = std::make_unique<FitsReader<T>>(path, options);
  if (reader->in_memory()) {
    throw Error(path + ": a packed file cannot be read row by row; unpack it first");
  }
  return reader;
}

template <class T>
void save_fits(const std::string& path, const std::string& shown_path, const View<const T>& pixels,
               const SaveOptions& options) {
  FitsWriter<T> writer(path, shown_path, pixels.shape, options);
  for (Index n = 0; n < pixels.batch(); ++n) writer.write(page_of(pixels, n));
  writer.finish();
}

#define BLURFIELD_INSTANTIATE(T)                                                            \
  template Picture<T> load_fits(const std::string&, const LoadOptions&);                    \
  template std::unique_ptr<RowReader<T>> fits_rows(const std::string&, const LoadOptions&); \
  template void save_fits(const std::string&, const std::string&, const View<const T>&,     \
                          const SaveOptions&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::io
