// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/fits_file.h"

#include <fitsio.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "blurfield/io/memory_limit.h"
#include "blurfield/io/metadata.h"

namespace blurfield::io {
namespace {

constexpr int kMaxAxes = 9;

// CFITSIO's status as our error; `ok` forgets its message stack.
class Status {
 public:
  Status(std::string path, const char* doing) : path_(std::move(path)), doing_(doing) {}
  int* get() { return &status_; }
  void check() {
    if (status_ == 0) return;
    std::array<char, FLEN_STATUS> text{};
    fits_get_errstatus(status_, text.data());
    fits_clear_errmsg();
    const int number = std::exchange(status_, 0);
    throw Error(message(path_, ": ", doing_, ": ", text.data(), " (CFITSIO ", number, ")"));
  }

 private:
  std::string path_;
  const char* doing_;
  int status_ = 0;
};

// An open file, closed when it goes.
struct Handle {
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    int ignored = 0;
    if (file) fits_close_file(file, &ignored);
    fits_clear_errmsg();
  }
  fitsfile* file = nullptr;
};

struct Type {
  Sample sample;
  int image;  // BITPIX, or CFITSIO's code for BITPIX with the BZERO of an unsigned type
  int data;
};
constexpr Type kTypes[] = {{Sample::u8, BYTE_IMG, TBYTE},    {Sample::i8, SBYTE_IMG, TSBYTE},
                           {Sample::i16, SHORT_IMG, TSHORT}, {Sample::u16, USHORT_IMG, TUSHORT},
                           {Sample::i32, LONG_IMG, TINT},    {Sample::u32, ULONG_IMG, TUINT},
                           {Sample::f32, FLOAT_IMG, TFLOAT}, {Sample::f64, DOUBLE_IMG, TDOUBLE}};

// 64-bit integers become float64; integers with a BLANK value need NaN, so a float type.
Sample sample_of(int image, bool blank) {
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [image](const Type& t) { return t.image == image; });
  if (type == std::end(kTypes)) return Sample::f64;
  if (!blank || is_float(type->sample)) return type->sample;
  return sample_max(type->sample) > 65535 ? Sample::f64 : Sample::f32;
}

// Moves to the first HDU with pixels and returns its NAXIS.
int find_image(const std::string& path, fitsfile* file, Status& status) {
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

Opened open_fits(const std::string& path, Handle& handle, Status& status) {
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
std::vector<std::string> read_cards(fitsfile* file, Status& status) {
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

template <class T>
constexpr int kDataType = sizeof(T) == sizeof(float) ? TFLOAT : TDOUBLE;

template <class T>
void write_pixels(fitsfile* file, const View<const T>& pixels, Sample sample, int data_type,
                  double scale, Status& status) {
  with_sample(sample, [&](auto s) {
    using S = decltype(s);
    std::vector<S> row(static_cast<std::size_t>(pixels.width()));
    LONGLONG first = 1;
    for (Index n = 0; n < pixels.batch(); ++n) {
      for (Index c = 0; c < pixels.channels(); ++c) {
        for (Index y = 0; y < pixels.height(); ++y) {
          const T* from = pixels.row(n, c, y);
          for (Index x = 0; x < pixels.width(); ++x) {
            row[static_cast<std::size_t>(x)] = to_sample<S>(from[x * pixels.x_stride()], scale);
          }
          fits_write_img(file, data_type, first, pixels.width(), row.data(), status.get());
          status.check();
          first += pixels.width();
        }
      }
    }
  });
}

// As many axes as the pixels need, and as the source had.
template <class T>
int axes_of(const View<const T>& pixels, const Metadata* metadata) {
  const int source = metadata ? metadata->axes : 0;
  const bool line = pixels.height() == 1 && (source == 1 || pixels.rank() == 3);
  const int needed = pixels.batch() > 1 ? 4 : pixels.channels() > 1 ? 3 : line ? 1 : 2;
  return std::max(needed, std::min(source, 4));
}

}  // namespace

Info probe_fits(const std::string& path) {
  Handle handle;
  Status status(path, "cannot read the FITS header");
  return open_fits(path, handle, status).info;
}

template <class T>
Picture<T> load_fits(const std::string& path, const LoadOptions& options) {
  Handle handle;
  Status status(path, "cannot decode");
  const Opened opened = open_fits(path, handle, status);
  const Info& info = opened.info;
  require_memory(info, sizeof(T), options.memory);
  Picture<T> picture;
  picture.info = info;
  picture.pixels = Image<T>(loaded_shape(info, info.channels, options));
  const Index count = picture.pixels.elements();
  T* pixels = picture.pixels.data();
  int any_blank = 0;
  T blank = std::numeric_limits<T>::quiet_NaN();
  fits_read_img(handle.file, kDataType<T>, 1, count, opened.blanks ? &blank : nullptr, pixels,
                &any_blank, status.get());
  status.check();
  const double divisor = load_divisor(info, options);
  if (divisor != 1.0) {
    std::transform(pixels, pixels + count, pixels,
                   [=](T v) { return static_cast<T>(static_cast<double>(v) / divisor); });
  }
  auto metadata = std::make_shared<Metadata>();
  metadata->cards = read_cards(handle.file, status);
  metadata->axes = opened.axes;
  metadata->physical = divisor == 1.0;
  metadata->white = sample_max(info.sample) / divisor;
  picture.metadata = metadata;
  return picture;
}

template <class T>
void save_fits(const std::string& path, const std::string& shown_path, const View<const T>& pixels,
               const SaveOptions& options) {
  Handle handle;
  Status status(shown_path, "cannot write");
  const Metadata* metadata = options.metadata.get();
  const Type& type = *std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const Type& t) { return t.sample == options.sample; });
  std::array<LONGLONG, 4> extent{pixels.width(), pixels.height(), pixels.channels(),
                                 pixels.batch()};
  std::remove(path.c_str());  // CFITSIO insists on creating its file
  fits_create_diskfile(&handle.file, path.c_str(), status.get());
  fits_create_imgll(handle.file, type.image, axes_of(pixels, metadata), extent.data(),
                    status.get());
  status.check();
  if (metadata) {
    for (const std::string& card : metadata->cards) {
      fits_write_record(handle.file, card.c_str(), status.get());
    }
  }
  write_pixels(handle.file, pixels, type.sample, type.data, save_scale("fits", options), status);
  LONGLONG end = 0;
  fits_get_hduaddrll(handle.file, nullptr, nullptr, &end, status.get());
  fits_close_file(std::exchange(handle.file, nullptr), status.get());
  status.check();
  // CFITSIO does not notice that the last buffer of a full disk is lost.
  std::error_code error;
  if (std::filesystem::file_size(path, error) != static_cast<std::uintmax_t>(end)) {
    throw Error(shown_path + ": cannot write: the file is incomplete, is the disk full?");
  }
}

template Picture<float> load_fits(const std::string&, const LoadOptions&);
template Picture<double> load_fits(const std::string&, const LoadOptions&);
template void save_fits(const std::string&, const std::string&, const View<const float>&,
                        const SaveOptions&);
template void save_fits(const std::string&, const std::string&, const View<const double>&,
                        const SaveOptions&);

}  // namespace blurfield::io
