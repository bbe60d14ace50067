// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <regex>

#include "blurfield/io/memory_limit.h"
#include "blurfield/io/metadata.h"
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
View<T> stored_order(T* page, Index height, Index width, int orientation) {
  const bool transposed = orientation >= 5;
  const bool up = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool left = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  T* first = page + (up ? (height - 1) * width : 0) + (left ? width - 1 : 0);
  const Index y_step = up ? -width : width;
  const Index x_step = left ? -1 : 1;
  if (transposed) return View<T>(first, {1, 1, width, height}, {0, 0, x_step, y_step});
  return View<T>(first, {1, 1, height, width}, {0, 0, y_step, x_step});
}

// The region's row y of one band, divided by `divisor`.
template <class S, class T>
void copy_row(const void* row, Index band, Index bands, double divisor, T* to, Index step,
              Index width) {
  const S* from = static_cast<const S*>(row) + band;
  if (divisor == 1.0) {
    for (Index x = 0; x < width; ++x) to[x * step] = static_cast<T>(from[x * bands]);
  } else {
    for (Index x = 0; x < width; ++x) {
      to[x * step] = static_cast<T>(static_cast<double>(from[x * bands]) / divisor);
    }
  }
}

// Decodes strip by strip into packed (pages, bands, H, W), upright.
template <class T>
void decode(const VipsOpened& opened, double divisor, T* pixels) {
  constexpr int kStrip = 64;
  const VImage& image = opened.image;
  const Index bands = image.bands();
  const Index page_height = image.height() / opened.info.pages;
  const std::unique_ptr<VipsRegion, void (*)(VipsRegion*)> region(
      vips_region_new(image.get_image()), [](VipsRegion* r) { g_object_unref(r); });
  for (int top = 0; top < image.height(); top += kStrip) {
    const VipsRect strip{0, top, image.width(), std::min(kStrip, image.height() - top)};
    if (vips_region_prepare(region.get(), &strip) != 0) throw vips::VError();
    for (int y = top; y < top + strip.height; ++y) {
      const void* row = VIPS_REGION_ADDR(region.get(), 0, y);
      for (Index band = 0; band < bands; ++band) {
        T* plane =
            pixels + (y / page_height * bands + band) * opened.info.height * opened.info.width;
        const View<T> to =
            stored_order(plane, opened.info.height, opened.info.width, opened.orientation);
        with_sample(opened.info.sample, [&](auto s) {
          copy_row<decltype(s)>(row, band, bands, divisor, to.row(0, 0, y % page_height),
                                to.x_stride(), image.width());
        });
      }
    }
  }
}

// Colours divided by alpha, the last channel; nothing where it is 0.
template <class T>
void unpremultiply(Image<T>& pixels) {
  const View<T> view = pixels.view();
  const Index plane = view.height() * view.width();
  for (Index n = 0; n < view.batch(); ++n) {
    const T* alpha = view.row(n, view.channels() - 1, 0);
    for (Index c = 0; c + 1 < view.channels(); ++c) {
      T* colour = view.row(n, c, 0);
      for (Index i = 0; i < plane; ++i) {
        if (alpha[i] > 0) colour[i] /= alpha[i];
      }
    }
  }
}

}  // namespace

Info probe_vips(const std::string& path, const std::string& format) {
  return vips_guard(path, kDecode, [&] { return open_vips(path, format, false).info; });
}

template <class T>
Picture<T> load_vips(const std::string& path, const std::string& format,
                     const LoadOptions& options) {
  return vips_guard(path, kDecode, [&] {
    const VipsOpened opened = open_vips(path, format, options.map);
    require_memory(opened.info, sizeof(T), options.memory);
    const Info& info = opened.info;
    const double divisor = load_divisor(info, options);
    Picture<T> picture;
    const Index bands = opened.image.bands();
    picture.pixels = Image<T>(loaded_shape(info, bands, options));
    decode(opened, divisor, picture.pixels.data());
    picture.alpha = info.alpha && !options.map;
    if (picture.alpha && opened.premultiplied) unpremultiply(picture.pixels);
    picture.info = info;
    auto metadata = std::make_shared<Metadata>();
    metadata->header = header_of(opened);
    metadata->white = sample_max(info.sample) / divisor;
    picture.metadata = metadata;
    return picture;
  });
}

template Picture<float> load_vips(const std::string&, const std::string&, const LoadOptions&);
template Picture<double> load_vips(const std::string&, const std::string&, const LoadOptions&);

}  // namespace blurfield::io
