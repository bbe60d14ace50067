// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/vips_open.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "blurfield/io/file_kind.h"
#include "blurfield/io/sample.h"
#include "blurfield/io/vips_session.h"

namespace blurfield::io {
namespace {

using vips::VImage;

Sample sample_of(const std::string& path, VipsBandFormat format) {
  for (Sample sample : {Sample::u8, Sample::u16, Sample::u32, Sample::i8, Sample::i16, Sample::i32,
                        Sample::f32, Sample::f64}) {
    if (band_format(sample) == format) return sample;
  }
  throw Error(path + ": complex samples are not supported");
}

VImage open_file(const std::string& path, const std::string& format) {
  const std::string loader = (format == "exr" ? "openexr" : format) + "load";
  VImage image;
  vips::VOption* options = VImage::option()
                               ->set("filename", path.c_str())
                               ->set("out", &image)
                               ->set("access", VIPS_ACCESS_SEQUENTIAL)
                               ->set("fail_on", VIPS_FAIL_ON_ERROR);
  if (format == "tiff" || format == "webp") options->set("n", -1);
  VImage::call(loader.c_str(), options);
  return image;
}

// libvips reads an EXR file as four bands, whichever channels it has.
VImage open_exr(const std::string& path) {
  const std::vector<std::string> names = exr_channels(path);
  if (names.empty()) throw Error(path + ": cannot decode: the EXR header is damaged");
  for (const std::string& name : names) {
    constexpr const char* kKnown[] = {"R", "G", "B", "A", "Y", "RY", "BY"};
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
      throw Error(message(path, ": EXR channel '", name, "' is not supported, expected R, G, B, Y",
                          " and A"));
    }
  }
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const VImage image = open_file(path, "exr");
  const bool grey = has("Y") && !has("RY") && !has("BY");
  VImage colour =
      grey ? image.extract_band(0) : image.extract_band(0, VImage::option()->set("n", 3));
  if (grey) colour = colour.copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_B_W));
  if (!has("A")) return colour;
  return colour.bandjoin(image.extract_band(3) / 255);  // libvips has scaled alpha, not colour
}

// libvips' callback: fills a region from a TiffRows.
int fill_rows(VipsRegion* region, void*, void* a, void* b, gboolean*) {
  auto& rows = *static_cast<TiffRows*>(a);
  const int page_height = *static_cast<const int*>(b);
  const VipsRect& area = region->valid;
  try {
    for (int y = area.top; y < area.top + area.height; ++y) {
      const auto* row = static_cast<const char*>(rows.row(y / page_height, y % page_height));
      const std::size_t pixel = VIPS_IMAGE_SIZEOF_PEL(region->im);
      std::memcpy(VIPS_REGION_ADDR(region, area.left, y), row + pixel * area.left,
                  pixel * area.width);
    }
  } catch (const std::exception& error) {
    vips_error("tiff", "%s", error.what());
    return -1;
  }
  return 0;
}

VImage rows_image(TiffRows& rows) {
  const TiffRows::Header& header = rows.header();
  if (std::max(header.width, header.height) > VIPS_MAX_COORD / header.pages) {
    throw Error(message("expected at most ", VIPS_MAX_COORD, " columns and rows in all pages"));
  }
  VImage image(vips_image_new());
  VipsImage* im = image.get_image();
  vips_image_init_fields(im, header.width, header.height * header.pages, header.bands,
                         band_format(header.sample), VIPS_CODING_NONE,
                         header.rgb          ? VIPS_INTERPRETATION_scRGB
                         : header.bands == 1 ? VIPS_INTERPRETATION_B_W
                                             : VIPS_INTERPRETATION_MULTIBAND,
                         header.x_resolution, header.y_resolution);
  void* height = const_cast<int*>(&header.height);  // read only
  if (vips_image_pipelinev(im, VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      vips_image_generate(im, nullptr, fill_rows, nullptr, &rows, height) != 0) {
    throw vips::VError();
  }
  vips_image_set_int(im, VIPS_META_PAGE_HEIGHT, header.height);
  vips_image_set_int(im, VIPS_META_ORIENTATION, header.orientation);
  const auto set_blob = [im](const char* name, const std::vector<char>& bytes) {
    if (!bytes.empty()) vips_image_set_blob_copy(im, name, bytes.data(), bytes.size());
  };
  set_blob(VIPS_META_ICC_NAME, header.profile);
  set_blob(VIPS_META_XMP_NAME, header.xmp);
  return image;
}

void open_tiff(VipsOpened& opened) {
  const std::string& path = opened.info.path;
  try {
    opened.rows = TiffRows::open(path);
    if (opened.rows) opened.image = rows_image(*opened.rows);
  } catch (const Error& error) {
    throw Error(message(path, ": cannot decode: ", error.what()));
  }
}

bool is_rgb_or_grey(VipsInterpretation space) {
  switch (space) {
    case VIPS_INTERPRETATION_CMYK:
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABQ:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_YXY:
    case VIPS_INTERPRETATION_LCH:
    case VIPS_INTERPRETATION_CMC:
    case VIPS_INTERPRETATION_HSV:
      return false;
    default:
      return true;
  }
}

VImage to_rgb(const VImage& image) {
  const VipsInterpretation space = image.interpretation();
  if (is_rgb_or_grey(space)) return image;
  const bool deep = image.format() != VIPS_FORMAT_UCHAR;
  const bool profile = image.get_typeof(VIPS_META_ICC_NAME) != 0;
  VImage rgb =
      space == VIPS_INTERPRETATION_CMYK && profile
          ? image.icc_transform(
                "srgb", VImage::option()->set("embedded", true)->set("depth", deep ? 16 : 8))
          : image.colourspace(deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
  rgb = rgb.copy();                // fields of a shared image must not change
  rgb.remove(VIPS_META_ICC_NAME);  // it described the old colours
  return rgb;
}

void set_alpha(VipsOpened& opened) {
  const std::string& format = opened.info.format;
  bool& alpha = opened.info.alpha;
  if (format == "tiff") {
    const TiffAlpha kind = tiff_alpha(opened.info.path);
    alpha = kind != TiffAlpha::none && opened.image.bands() > 1;
    opened.premultiplied = kind == TiffAlpha::premultiplied && opened.rows;
  } else if (format == "exr") {
    alpha = opened.image.bands() % 2 == 0;
    opened.premultiplied = alpha;
  } else {
    alpha = opened.image.has_alpha();
  }
}

}  // namespace

VipsOpened open_vips(const std::string& path, const std::string& format, bool map) {
  VipsOpened opened;
  VImage& image = opened.image;
  Info& info = opened.info;
  info.path = path;
  info.format = format;
  if (format == "tiff") open_tiff(opened);
  if (!opened.rows) image = format == "exr" ? open_exr(path) : open_file(path, format);
  const int page_height = vips_image_get_page_height(image.get_image());
  opened.orientation = std::clamp(vips_image_get_orientation(image.get_image()), 1, 8);
  info.width = image.width();
  info.height = page_height;
  if (opened.orientation >= 5) std::swap(info.width, info.height);
  info.pages = image.height() / page_height;
  info.colour_space = vips_enum_nick(VIPS_TYPE_INTERPRETATION, image.interpretation());
  if (image.coding() == VIPS_CODING_LABQ) info.colour_space = "lab";
  info.channels =
      image.coding() == VIPS_CODING_LABQ ? 3 : image.bands();  // four bytes, three bands
  set_alpha(opened);
  if (!map) {
    image = to_rgb(image);
  } else if (image.coding() == VIPS_CODING_LABQ) {
    image = image.LabQ2Lab();
  }
  info.profile = image.get_typeof(VIPS_META_ICC_NAME) != 0;
  info.sample = sample_of(path, image.format());
  info.bytes_decoded = static_cast<double>(image.width()) * image.height() * image.bands() *
                       with_sample(info.sample, [](auto s) { return static_cast<int>(sizeof s); });
  return opened;
}

}  // namespace blurfield::io
