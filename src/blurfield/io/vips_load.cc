// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <regex>
#include <utility>
#include <vector>

#include "blurfield/io/memory_limit.h"
#include "blurfield/io/metadata.h"
#include "blurfield/io/rows/vips_decoder.h"
#include "blurfield/io/vips_file.h"
#include "blurfield/io/vips_open.h"
#include "blurfield/io/vips_session.h"

namespace blurfield::io {
namespace {

using vips::VImage;

constexpr const char* kDecode = "cannot decode";

// Copies XMP; it may repeat the orientation, which is applied.
void set_upright_xmp(const VImage& from, const VImage& to) {
  static const std::regex orientation(R"((tiff:Orientation(\s*=\s*["']|>))[2-8])");
  std::size_t size = 0;
  const void* data = from.get_blob(VIPS_META_XMP_NAME, &size);
  const std::string text =
      std::regex_replace(std::string(static_cast<const char*>(data), size), orientation, "$011");
  vips_image_set_blob_copy(to.get_image(), VIPS_META_XMP_NAME, text.data(), text.size());
}

bool survives(std::string_view name) {
  constexpr std::string_view kKept[] = {VIPS_META_ICC_NAME, VIPS_META_EXIF_NAME,
                                        VIPS_META_IPTC_NAME, VIPS_META_RESOLUTION_UNIT,
                                        VIPS_META_IMAGEDESCRIPTION};
  return std::find(std::begin(kKept), std::end(kKept), name) != std::end(kKept) ||
         name.starts_with("exif-ifd") ||
         (name.starts_with("png-comment-") && !name.ends_with("XML:com.adobe.xmp"));
}

std::shared_ptr<const VipsHeader> header_of(const VipsOpened& opened) {
  const VImage& image = opened.image;
  double x_resolution = image.xres();
  double y_resolution = image.yres();
  if (opened.orientation >= 5) std::swap(x_resolution, y_resolution);
  const VImage header = VImage::black(1, 1).copy(
      VImage::option()->set("xres", x_resolution)->set("yres", y_resolution));
  copy_fields(image, header, survives);
  if (image.get_typeof(VIPS_META_XMP_NAME) != 0) set_upright_xmp(image, header);
  vips_autorot_remove_angle(header.get_image());
  // The EXIF block itself still has it, unless the saver is told a new one.
  vips_image_set_int(header.get_image(), VIPS_META_ORIENTATION, 1);
  return std::make_shared<VipsHeader>(VipsHeader{header});
}

// A page as stored, as a window on an upright one.
template <class T>
View<T> stored_order(T* page, Index bands, Index height, Index width, int orientation) {
  const bool transposed = orientation >= 5;
  const bool up = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool left = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  T* first = page + (up ? (height - 1) * width : 0) + (left ? width - 1 : 0);
  const Index plane = height * width;
  const Index y_step = up ? -width : width;
  const Index x_step = left ? -1 : 1;
  if (transposed) return View<T>(first, {1, bands, width, height}, {0, plane, x_step, y_step});
  return View<T>(first, {1, bands, height, width}, {0, plane, y_step, x_step});
}

std::shared_ptr<const Metadata> metadata_of(const VipsDecoder& decoder) {
  auto metadata = std::make_shared<Metadata>();
  metadata->header = header_of(decoder.opened());
  metadata->white = sample_max(decoder.opened().info.sample) / decoder.divisor();
  return metadata;
}

// A decoder per page of a map, whose pages are channels; else one for all.
template <class T>
class VipsRows final : public RowReader<T> {
 public:
  VipsRows(std::string path, std::string format, const LoadOptions& options)
      : path_(std::move(path)), format_(std::move(format)), options_(options) {
    vips_guard(path_, kDecode, [&] {
      decoders_.push_back(open());
      const VipsDecoder& decoder = *decoders_.front();
      const VipsOpened& opened = decoder.opened();
      check_order(opened);
      this->header_.info = opened.info;
      this->header_.alpha = opened.info.alpha && !options.map;
      this->header_.metadata = metadata_of(decoder);
      this->shape_ = loaded_shape(opened.info, decoder.bands(), options);
      mirrored_ = opened.orientation == 2;
      if (options.map) decoders_.resize(static_cast<std::size_t>(opened.info.pages));
    });
  }

  void read(Index page, Index first, const View<T>& rows) override {
    this->check(page, first, rows);
    vips_guard(path_, kDecode, [&] {
      if (!options_.map) return read_page(decoders_.front(), page, first, rows);
      const Index bands = rows.channels() / static_cast<Index>(decoders_.size());
      View<T> part = rows;
      part.shape[1] = bands;
      for (std::size_t i = 0; i < decoders_.size(); ++i) {
        part.data = rows.row(0, static_cast<Index>(i) * bands, 0);
        read_page(decoders_[i], static_cast<Index>(i), first, part);
      }
    });
  }

 private:
  std::unique_ptr<VipsDecoder> open() const {
    return std::make_unique<VipsDecoder>(open_vips(path_, format_, options_.map), options_);
  }

  void check_order(const VipsOpened& opened) const {
    const auto fail = [&](const std::string& reason) {
      throw Error(message(path_, ": ", reason,
                          ": its rows cannot be read one after another; save it as TIFF first"));
    };
    if (format_ == "webp") fail("WebP");
    if (opened.orientation > 2) fail(message("EXIF orientation ", opened.orientation));
    const vips::VImage& image = opened.image;
    const auto is_set = [&](const char* field) {
      return image.get_typeof(field) != 0 && image.get_int(field) != 0;
    };
    if (format_ == "png" && is_set("interlaced")) fail("an interlaced PNG file");
    if (format_ == "jpeg" && is_set("jpeg-multiscan")) fail("a progressive JPEG file");
  }

  void read_page(std::unique_ptr<VipsDecoder>& decoder, Index page, Index first,
                 const View<T>& rows) {
    const Index from = page * this->shape_[2] + first;
    if (!decoder || decoder->next() > from) decoder = open();
    decoder->skip(from - decoder->next());
    View<T> to = rows;
    if (mirrored_) {
      to.data += rows.width() - 1;
      to.stride[3] = -1;
    }
    decoder->read(to);
  }

  std::string path_;
  std::string format_;
  LoadOptions options_;
  bool mirrored_ = false;
  std::vector<std::unique_ptr<VipsDecoder>> decoders_;
};

}  // namespace

Info probe_vips(const std::string& path, const std::string& format) {
  return vips_guard(path, kDecode, [&] { return open_vips(path, format, false).info; });
}

template <class T>
Picture<T> load_vips(const std::string& path, const std::string& format,
                     const LoadOptions& options) {
  return vips_guard(path, kDecode, [&] {
    VipsOpened opened = open_vips(path, format, options.map);
    require_memory(opened.info, sizeof(T), options.memory);
    VipsDecoder decoder(std::move(opened), options);
    Picture<T> picture;
    picture.info = decoder.opened().info;
    const Info& info = picture.info;
    picture.pixels = Image<T>(loaded_shape(info, decoder.bands(), options));
    const int orientation = decoder.opened().orientation;
    for (Index page = 0; page < info.pages; ++page) {
      T* first = picture.pixels.data() + page * decoder.bands() * info.height * info.width;
      decoder.read(stored_order(first, decoder.bands(), info.height, info.width, orientation));
    }
    picture.alpha = info.alpha && !options.map;
    picture.metadata = metadata_of(decoder);
    return picture;
  });
}

template <class T>
std::unique_ptr<RowReader<T>> vips_rows(const std::string& path, const std::string& format,
                                        const LoadOptions& options) {
  return std::make_unique<VipsRows<T>>(path, format, options);
}

template Picture<float> load_vips(const std::string&, const std::string&, const LoadOptions&);
template Picture<double> load_vips(const std::string&, const std::string&, const LoadOptions&);
template std::unique_ptr<RowReader<float>> vips_rows(const std::string&, const std::string&,
                                                     const LoadOptions&);
template std::unique_ptr<RowReader<double>> vips_rows(const std::string&, const std::string&,
                                                      const LoadOptions&);

}  // namespace blurfield::io
