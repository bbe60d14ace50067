// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "blurfield/io/metadata.h"
#include "blurfield/io/tiff_file.h"
#include "blurfield/io/vips_file.h"
#include "blurfield/io/vips_session.h"

namespace blurfield::io {
namespace {

using vips::VImage;

constexpr const char* kWrite = "cannot write";

template <class T>
struct Source {
  View<const T> pixels;
  double scale = 1.0;
};

// libvips' callback: fills a region with samples of type S; runs on its threads.
template <class T, class S>
int fill(VipsRegion* region, void*, void* a, void*, gboolean*) {
  const auto& source = *static_cast<const Source<T>*>(a);
  const View<const T>& pixels = source.pixels;
  const VipsRect& area = region->valid;
  const Index bands = pixels.channels();
  for (int y = area.top; y < area.top + area.height; ++y) {
    S* row = reinterpret_cast<S*>(VIPS_REGION_ADDR(region, area.left, y));
    for (Index band = 0; band < bands; ++band) {
      const T* from = pixels.row(y / pixels.height(), band, y % pixels.height());
      for (Index x = 0; x < area.width; ++x) {
        row[x * bands + band] =
            to_sample<S>(from[(area.left + x) * pixels.x_stride()], source.scale);
      }
    }
  }
  return 0;
}

VipsInterpretation interpretation(Index colours, Sample sample) {
  const bool deep = sample == Sample::u16;
  if (colours == 1) return deep ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W;
  if (colours == 3) return deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
  return VIPS_INTERPRETATION_MULTIBAND;
}

// A profile for other colours than the image has, e.g. a grey one for RGB, is left out.
bool fits_profile(const VImage& image, const VImage& header) {
  if (header.get_typeof(VIPS_META_ICC_NAME) == 0) return true;
  std::size_t size = 0;
  const void* profile = header.get_blob(VIPS_META_ICC_NAME, &size);
  return vips_icc_is_compatible_profile(image.get_image(), profile, size);
}

const VImage* header_of(const SaveOptions& options) {
  return options.metadata && options.metadata->header ? &options.metadata->header->image : nullptr;
}

// Gives the image what survives of the file that it was made from.
void dress(const VImage& image, const SaveOptions& options) {
  if (const VImage* header = header_of(options)) {
    const bool profile = fits_profile(image, *header);
    copy_fields(*header, image,
                [&](std::string_view name) { return profile || name != VIPS_META_ICC_NAME; });
  }
  // The EXIF block still holds the sharp thumbnail; libvips drops it if the field has been removed.
  vips_image_set_blob_copy(image.get_image(), "jpeg-thumbnail-data", "", 1);
  vips_image_remove(image.get_image(), "jpeg-thumbnail-data");
}

// The picture as libvips sees it, pages one below the other; `source` must outlive it.
template <class T>
VImage as_vips(const Source<T>& source, const SaveOptions& options) {
  const View<const T>& pixels = source.pixels;
  VImage image(vips_image_new());
  VipsImage* im = image.get_image();
  const VImage* header = header_of(options);
  vips_image_init_fields(
      im, static_cast<int>(pixels.width()), static_cast<int>(pixels.height() * pixels.batch()),
      static_cast<int>(pixels.channels()), band_format(options.sample), VIPS_CODING_NONE,
      interpretation(pixels.channels() - options.alpha, options.sample),
      header ? header->xres() : 1.0, header ? header->yres() : 1.0);
  void* data = const_cast<Source<T>*>(&source);  // handed back to fill(), which reads only
  const bool failed = with_sample(options.sample, [&](auto s) {
    return vips_image_pipelinev(im, VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
           vips_image_generate(im, nullptr, fill<T, decltype(s)>, nullptr, data, nullptr) != 0;
  });
  if (failed) throw vips::VError();
  dress(image, options);
  if (pixels.batch() > 1) {
    vips_image_set_int(im, VIPS_META_PAGE_HEIGHT, static_cast<int>(pixels.height()));
  }
  return image;
}

vips::VOption* save_options(const std::string& format, const VImage& image, Sample sample) {
  vips::VOption* options = VImage::option();
  if (format == "jpeg" || format == "webp") options->set("Q", 95);
  if (format == "webp") options->set("smart_subsample", true);
  if (format == "jpeg") options->set("subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF);
  if (format == "png") options->set("compression", 6)->set("filter", VIPS_FOREIGN_PNG_FILTER_ALL);
  if (format == "tiff") {
    constexpr guint64 kBig = 3'500'000'000;  // classic TIFF ends at 4 GB
    // Few readers know the predictor for floats.
    options->set("compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE)
        ->set("predictor", is_float(sample) ? VIPS_FOREIGN_TIFF_PREDICTOR_NONE
                                            : VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL)
        ->set("bigtiff", VIPS_IMAGE_SIZEOF_IMAGE(image.get_image()) > kBig);
  }
  return options;
}

void write(const VImage& image, const std::string& path, const std::string& format, Sample sample) {
  const std::string saver = format + "save";
  VImage::call(
      saver.c_str(),
      save_options(format, image, sample)->set("in", image)->set("filename", path.c_str()));
}

std::vector<std::uint8_t> blob(const VImage& image, const char* field) {
  if (image.get_typeof(field) == 0) return {};
  std::size_t size = 0;
  const auto* bytes = static_cast<const std::uint8_t*>(image.get_blob(field, &size));
  return {bytes, bytes + size};
}

}  // namespace

template <class T>
void save_vips(const std::string& path, const std::string& shown_path, const std::string& format,
               const View<const T>& pixels, const SaveOptions& options) {
  if (std::max(pixels.height() * pixels.batch(), pixels.width()) > VIPS_MAX_COORD) {
    throw Error(message(shown_path, ": ", kWrite, ": expected at most ", VIPS_MAX_COORD,
                        " columns and rows in all pages"));
  }
  vips_guard(shown_path, kWrite, [&] {
    const Source<T> source{pixels, save_scale(format, options)};
    const VImage image = as_vips(source, options);
    write(image, path, format, options.sample);
  });
  if (format != "tiff") return;
  try {
    mark_extra_samples(path, options.alpha);
  } catch (const Error& error) {
    throw Error(message(shown_path, ": ", kWrite, ": ", error.what()));
  }
}

template void save_vips(const std::string&, const std::string&, const std::string&,
                        const View<const float>&, const SaveOptions&);
template void save_vips(const std::string&, const std::string&, const std::string&,
                        const View<const double>&, const SaveOptions&);

void convert_vips(const std::string& tiff, const std::string& path, const std::string& shown_path,
                  const std::string& format, const SaveOptions& options) {
  vips_guard(shown_path, kWrite, [&] {
    const VImage stored = VImage::new_from_file(
        tiff.c_str(), VImage::option()->set("access", VIPS_ACCESS_SEQUENTIAL));
    const VImage* header = header_of(options);
    const Index colours = stored.bands() - (options.alpha ? 1 : 0);
    const VImage image =
        stored.copy(VImage::option()
                        ->set("interpretation", interpretation(colours, options.sample))
                        ->set("xres", header ? header->xres() : 1.0)
                        ->set("yres", header ? header->yres() : 1.0));
    vips_image_remove(image.get_image(), VIPS_META_RESOLUTION_UNIT);  // the TIFF file's own
    dress(image, options);
    write(image, path, format, options.sample);
  });
}

TiffTags tiff_tags_vips(const SaveOptions& options, Index channels) {
  const VImage* header = header_of(options);
  if (!header) return {};
  return vips_guard("TIFF", kWrite, [&] {
    const VImage pixel =
        VImage::black(1, 1, VImage::option()->set("bands", static_cast<int>(channels)))
            .copy(VImage::option()->set(
                "interpretation",
                interpretation(channels - (options.alpha ? 1 : 0), options.sample)));
    TiffTags tags;
    if (fits_profile(pixel, *header)) tags.profile = blob(*header, VIPS_META_ICC_NAME);
    tags.xmp = blob(*header, VIPS_META_XMP_NAME);
    tags.iptc = blob(*header, VIPS_META_IPTC_NAME);
    if (header->get_typeof(VIPS_META_IMAGEDESCRIPTION) != 0) {
      tags.description = header->get_string(VIPS_META_IMAGEDESCRIPTION);
    }
    tags.x_resolution = header->xres();
    tags.y_resolution = header->yres();
    tags.inches = header->get_typeof(VIPS_META_RESOLUTION_UNIT) != 0 &&
                  std::string_view(header->get_string(VIPS_META_RESOLUTION_UNIT)) == "in";
    return tags;
  });
}

std::vector<std::uint8_t> encode_png_vips(const View<const float>& pixels) {
  return vips_guard("PNG", "cannot encode", [&] {
    const Source<float> source{pixels, 255.0};
    const VImage image = as_vips(source, SaveOptions{});
    VipsBlob* blob = nullptr;
    VImage::call("pngsave_buffer",
                 save_options("png", image, Sample::u8)->set("in", image)->set("buffer", &blob));
    std::size_t size = 0;
    const auto* bytes = static_cast<const std::uint8_t*>(vips_blob_get(blob, &size));
    std::vector<std::uint8_t> png(bytes, bytes + size);
    vips_area_unref(VIPS_AREA(blob));
    return png;
  });
}

}  // namespace blurfield::io
