// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/fits_reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <vector>

#include "blurfield/io/metadata.h"

namespace blurfield::io {
namespace {

constexpr int kMaxAxes = 9;

// 64-bit integers become float64; integers with a BLANK value need NaN, so a float type.
Sample sample_of(int image, bool blank) {
  const auto type = std::find_if(std::begin(kFitsTypes), std::end(kFitsTypes),
                                 [image](const FitsType& t) { return t.image == image; });
  if (type == std::end(kFitsTypes)) return Sample::f64;
  if (!blank || is_float(type->sample)) return type->sample;
  return sample_max(type->sample) > 65535 ? Sample::f64 : Sample::f32;
}

// Moves to the first HDU with pixels and returns its NAXIS.
int find_image(const std::string& path, fitsfile* file, FitsStatus& status) {
  int count = 0;
  fits_get_num_hdus(file, &count, status.get());
  status.check();
  for (int hdu = 1; hdu <= count; ++hdu) {
    int kind = 0;
    int axes = 0;
    fits_movabs_hdu(file, hdu, &kind, status.get());
    status.check();
    if (kind != IMAGE_HDU) continue;
    fits_get_img_dim(file, &axes, status.get());
    status.check();
    if (axes > 0) return axes;
  }
  throw Error(path + ": the FITS file holds no image");
}

struct Opened {
  Info info;
  int axes = 0;
  bool blanks = false;  // pixels without a value are to be found; infinities would count as such
};

Opened open_fits(const std::string& path, FitsHandle& handle, FitsStatus& status) {
  fits_open_diskfile(&handle.file, path.c_str(), READONLY, status.get());
  status.check();
  Opened opened;
  opened.axes = find_image(path, handle.file, status);
  require(opened.axes <= kMaxAxes, path.c_str(), "expected at most ", kMaxAxes, " axes, got ",
          opened.axes);
  std::array<LONGLONG, kMaxAxes> extent;
  extent.fill(1);
  int image = 0;
  fits_get_img_sizell(handle.file, kMaxAxes, extent.data(), status.get());
  fits_get_img_equivtype(handle.file, &image, status.get());
  status.check();
  LONGLONG blank = 0;
  int no_blank = 0;
  fits_read_key(handle.file, TLONGLONG, "BLANK", &blank, nullptr, &no_blank);
  int ignored = 0;
  opened.blanks = no_blank == 0 || fits_is_compressed_image(handle.file, &ignored) != 0;
  Info& info = opened.info;
  info.path = path;
  info.format = "fits";
  info.width = extent[0];
  info.height = extent[1];
  info.channels = extent[2];
  for (int axis = 3; axis < kMaxAxes; ++axis) info.pages *= extent[static_cast<std::size_t>(axis)];
  const Index smallest = std::min({info.width, info.height, info.channels, info.pages});
  if (smallest <= 0) throw Error(path + ": the image has zero size");
  info.sample = sample_of(image, no_blank == 0);
  info.colour_space = info.channels == 1 ? "b-w" : "multiband";
  info.physical = true;
  info.white = sample_max(info.sample);
  info.bytes_decoded = static_cast<double>(info.width) * static_cast<double>(info.height) *
                       static_cast<double>(info.channels) * static_cast<double>(info.pages) *
                       with_sample(info.sample, [](auto s) { return static_cast<int>(sizeof s); });
  return opened;
}

// World coordinates, comments and the like; neither the layout nor checksums nor the data range.
std::vector<std::string> read_cards(fitsfile* file, FitsStatus& status) {
  int count = 0;
  fits_get_hdrspace(file, &count, nullptr, status.get());
  std::vector<std::string> cards;
  for (int i = 1; i <= count; ++i) {
    std::array<char, FLEN_CARD> card{};
    fits_read_record(file, i, card.data(), status.get());
    status.check();
    const int kind = fits_get_keyclass(card.data());
    const bool stale =
        kind == TYP_CKSUM_KEY || std::string_view(card.data()).starts_with("INHERIT ");
    if (kind >= TYP_UNIT_KEY && !stale) cards.emplace_back(card.data());
  }
  return cards;
}

}  // namespace

template <class T>
FitsReader<T>::FitsReader(const std::string& path, const LoadOptions& options)
    : status_(path, "cannot decode") {
  const Opened opened = open_fits(path, handle_, status_);
  const Info& info = opened.info;
  blanks_ = opened.blanks;
  divisor_ = load_divisor(info, options);
  auto metadata = std::make_shared<Metadata>();
  metadata->cards = read_cards(handle_.file, status_);
  metadata->axes = opened.axes;
  metadata->physical = divisor_ == 1.0;
  metadata->white = sample_max(info.sample) / divisor_;
  this->header_.info = info;
  this->header_.metadata = metadata;
  this->shape_ = loaded_shape(info, info.channels, options);
}

template <class T>
void FitsReader<T>::read(Index page, Index first, const View<T>& rows) {
  this->check(page, first, rows);
  T blank = std::numeric_limits<T>::quiet_NaN();
  int any_blank = 0;
  const Index width = rows.width();
  const Index at_once = rows.y_stride() == width ? rows.height() : 1;
  for (Index c = 0; c < rows.channels(); ++c) {
    const Index plane = page * rows.channels() + c;
    for (Index y = 0; y < rows.height(); y += at_once) {
      T* to = rows.row(0, c, y);
      const Index count = at_once * width;
      fits_read_img(handle_.file, kFitsData<T>, 1 + (plane * this->shape_[2] + first + y) * width,
                    count, blanks_ ? &blank : nullptr, to, &any_blank, status_.get());
      status_.check();
      if (divisor_ == 1.0) continue;
      std::transform(to, to + count, to,
                     [this](T v) { return static_cast<T>(static_cast<double>(v) / divisor_); });
    }
  }
}

template <class T>
bool FitsReader<T>::in_memory() {
  std::array<char, FLEN_FILENAME> type{};
  fits_url_type(handle_.file, type.data(), status_.get());
  status_.check();
  return std::string_view(type.data()) != "file://";
}

template class FitsReader<float>;
template class FitsReader<double>;

}  // namespace blurfield::io
