// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/fits_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <utility>
#include <vector>

#include "blurfield/io/metadata.h"
#include "blurfield/io/sample.h"

namespace blurfield::io {
namespace {

const FitsType& type_of(Sample sample) {
  return *std::find_if(std::begin(kFitsTypes), std::end(kFitsTypes),
                       [&](const FitsType& type) { return type.sample == sample; });
}

// As many axes as the pixels need, and as the source had.
int axes_of(const Shape& shape, bool signal, const Metadata* metadata) {
  const int source = metadata ? metadata->axes : 0;
  const bool line = shape[2] == 1 && (source == 1 || signal);
  const int needed = shape[0] > 1 ? 4 : shape[1] > 1 ? 3 : line ? 1 : 2;
  return std::max(needed, std::min(source, 4));
}

}  // namespace

template <class T>
FitsWriter<T>::FitsWriter(const std::string& path, const std::string& shown_path,
                          const Shape& shape, const SaveOptions& options)
    : path_(path),
      shown_path_(shown_path),
      shape_(shape.rank() == 4 ? shape : Shape{shape[0], shape[1], 1, shape[2]}),
      status_(shown_path, "cannot write"),
      type_(type_of(options.sample)),
      scale_(save_scale("fits", options)) {
  const Metadata* metadata = options.metadata.get();
  std::array<LONGLONG, 4> extent{shape_[3], shape_[2], shape_[1], shape_[0]};
  std::remove(path.c_str());  // CFITSIO insists on creating its file
  fits_create_diskfile(&handle_.file, path.c_str(), status_.get());
  fits_create_imgll(handle_.file, type_.image, axes_of(shape_, shape.rank() == 3, metadata),
                    extent.data(), status_.get());
  status_.check();
  if (!metadata) return;
  for (const std::string& card : metadata->cards) {
    fits_write_record(handle_.file, card.c_str(), status_.get());
  }
}

template <class T>
void FitsWriter<T>::write(const View<const T>& rows) {
  with_sample(type_.sample, [&](auto s) {
    using S = decltype(s);
    std::vector<S> row(static_cast<std::size_t>(rows.width()));
    const Index page = next_ / shape_[2];
    for (Index c = 0; c < rows.channels(); ++c) {
      const Index plane = page * shape_[1] + c;
      for (Index y = 0; y < rows.height(); ++y) {
        const T* from = rows.row(0, c, y);
        for (Index x = 0; x < rows.width(); ++x) {
          row[static_cast<std::size_t>(x)] = to_sample<S>(from[x * rows.x_stride()], scale_);
        }
        const Index line = plane * shape_[2] + next_ % shape_[2] + y;
        fits_write_img(handle_.file, type_.data, 1 + line * rows.width(), rows.width(), row.data(),
                       status_.get());
        status_.check();
      }
    }
  });
  next_ += rows.height();
}

template <class T>
void FitsWriter<T>::finish() {
  LONGLONG end = 0;
  fits_get_hduaddrll(handle_.file, nullptr, nullptr, &end, status_.get());
  fits_close_file(std::exchange(handle_.file, nullptr), status_.get());
  status_.check();
  // CFITSIO does not notice that the last buffer of a full disk is lost.
  std::error_code error;
  if (std::filesystem::file_size(path_, error) != static_cast<std::uintmax_t>(end)) {
    throw Error(shown_path_ + ": cannot write: the file is incomplete, is the disk full?");
  }
}

template class FitsWriter<float>;
template class FitsWriter<double>;

}  // namespace blurfield::io
