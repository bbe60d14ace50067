// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/picture.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <limits>
#include <utility>

#include "blurfield/io/atomic_file.h"
#include "blurfield/io/file_kind.h"
#include "blurfield/io/fits_file.h"
#include "blurfield/io/metadata.h"
#include "blurfield/io/sample.h"
#include "blurfield/io/vips_file.h"

namespace blurfield::io {
namespace {

std::string lower_extension(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

void check_format(const std::string& path, const std::string& format, const SaveOptions& options,
                  Index channels, Index pages) {
  const auto fail = [&](const auto&... reason) {
    throw Error(message(path, ": cannot write: ", reason...));
  };
  const bool any_type = format == "tiff" || format == "fits";
  const bool wide = format == "png" && options.sample == Sample::u16;
  if (!any_type && !wide && options.sample != Sample::u8) {
    fail(format, " holds ", format == "png" ? "8 or 16-bit" : "8-bit", " integers, not ",
         sample_name(options.sample), " samples; choose a bit depth that it holds");
  }
  if (any_type && pages >= 1 && channels >= 1 && (format == "fits" || channels <= 0xffff)) return;
  if (pages != 1) fail(format, " holds one page, not ", pages, "; TIFF and FITS hold several");
  const Index colours = channels - (options.alpha ? 1 : 0);
  if (colours != 1 && colours != 3) {
    fail(format, " holds 1 or 3 channels and alpha, not ", colours, options.alpha ? " and" : "",
         options.alpha ? " alpha" : " without alpha");
  }
  if (options.alpha && format == "jpeg") fail("jpeg holds no alpha channel");
}

template <class T>
Picture<T> load(const std::string& path, const LoadOptions& options) {
  const std::string format = file_format(path);
  return format == "fits" ? load_fits<T>(path, options) : load_vips<T>(path, format, options);
}

}  // namespace

const char* sample_name(Sample sample) {
  constexpr const char* kNames[] = {"uint8", "uint16", "uint32",  "int8",
                                    "int16", "int32",  "float32", "float64"};
  return kNames[static_cast<int>(sample)];
}

bool is_float(Sample sample) { return sample == Sample::f32 || sample == Sample::f64; }

double sample_max(Sample sample) {
  return with_sample(sample, [](auto s) {
    using S = decltype(s);
    return std::is_floating_point_v<S> ? 1.0 : static_cast<double>(std::numeric_limits<S>::max());
  });
}

double save_scale(const std::string& format, const SaveOptions& options) {
  const Metadata* metadata = options.metadata.get();
  if (format == "fits" && metadata && metadata->physical) return 1.0;
  return sample_max(options.sample) / (metadata ? metadata->white : 1.0);
}

std::string format_to_save(const std::string& path, Sample sample) {
  static constexpr std::pair<const char*, const char*> kFormats[] = {
      {".png", "png"},   {".jpg", "jpeg"},  {".jpeg", "jpeg"}, {".tif", "tiff"}, {".tiff", "tiff"},
      {".webp", "webp"}, {".fits", "fits"}, {".fit", "fits"},  {".fts", "fits"}};
  const std::string extension = lower_extension(path);
  for (const auto& [known, format] : kFormats) {
    if (extension == known) return format;
  }
  if (extension.empty() && is_device(path)) {
    return sample == Sample::u8 || sample == Sample::u16 ? "png" : "tiff";
  }
  if (extension == ".exr") throw Error(path + ": cannot write: EXR files are read only");
  throw Error(message(path, ": cannot write: unknown extension '", extension,
                      "', expected .png, .jpg, .tif, .webp or .fits"));
}

Info probe(const std::string& path) {
  const std::string format = file_format(path);
  return format == "fits" ? probe_fits(path) : probe_vips(path, format);
}

template <class T>
Picture<T> load_picture(const std::string& path, double memory) {
  return load<T>(path, {.memory = memory});
}

template <class T>
Picture<T> load_map(const std::string& path, bool normalise, double memory) {
  return load<T>(path, {.map = true, .normalise = normalise, .memory = memory});
}

template <class T>
void save(const std::string& path, const View<const T>& pixels, const SaveOptions& options) {
  require(pixels.rank() == 3 || pixels.rank() == 4, "save", "expected (N, C, H, W), got ",
          pixels.shape.text());
  require(pixels.shape.elements() > 0, "save", "expected pixels, got ", pixels.shape.text());
  const std::string format = format_to_save(path, options.sample);
  check_format(path, format, options, pixels.channels(), pixels.batch());
  AtomicFile file(path, "." + format, options.overwrite);
  if (format == "fits") {
    save_fits(file.temporary(), path, pixels, options);
  } else {
    save_vips(file.temporary(), path, format, pixels, options);
  }
  file.commit();
}

void check_can_save(const std::string& path, const SaveOptions& options, Index channels,
                    Index pages) {
  const std::string format = format_to_save(path, options.sample);
  check_format(path, format, options, channels, pages);
  const AtomicFile trial(path, "." + format, options.overwrite);
}

void remove_temporary_files() noexcept { remove_atomic_files(); }

std::vector<std::uint8_t> encode_png(const View<const float>& pixels) {
  require(pixels.rank() == 4 && pixels.batch() == 1 &&
              (pixels.channels() == 1 || pixels.channels() == 3) && pixels.shape.elements() > 0,
          "encode_png", "expected (1, 1 or 3, H, W), got ", pixels.shape.text());
  return encode_png_vips(pixels);
}

template Picture<float> load_picture(const std::string&, double);
template Picture<double> load_picture(const std::string&, double);
template Picture<float> load_map(const std::string&, bool, double);
template Picture<double> load_map(const std::string&, bool, double);
template void save(const std::string&, const View<const float>&, const SaveOptions&);
template void save(const std::string&, const View<const double>&, const SaveOptions&);

}  // namespace blurfield::io
