// SPDX-License-Identifier: BSD-3-Clause
// Image files in and out. Integer samples of photographs map to 0..1; float samples and everything
// in a FITS file keep the values that the file means (Info::physical).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "blurfield/base/image.h"

namespace blurfield::io {

enum class Sample { u8, u16, u32, i8, i16, i32, f32, f64 };
const char* sample_name(Sample sample);  // "uint8", ..., "float64"
bool is_float(Sample sample);
double sample_max(Sample sample);  // what maps to 1.0; 1 for float samples

// What a header tells, before any pixel is decoded.
struct Info {
  std::string path;
  std::string format;  // "png", "jpeg", "tiff", "webp", "fits", "exr"
  Index width = 0;     // as the viewer sees it: EXIF orientation applied
  Index height = 0;
  Index channels = 0;  // colour and alpha as stored; a FITS cube's planes
  Index pages = 1;
  Sample sample = Sample::u8;  // FITS: the type that holds BZERO + BSCALE * value
  std::string colour_space;    // "srgb", "b-w", "cmyk", "multiband", ...
  bool alpha = false;
  bool profile = false;  // an embedded colour profile
  // FITS: samples are physical values, integers too; load_picture does not map them to 0..1.
  bool physical = false;
  double white =
      1.0;  // what load_picture makes of a full-scale sample: 1, or sample_max if physical
  double bytes_decoded = 0;  // all pages, as `sample`
};

// Reads the header only. Throws Error naming the file and the reason.
Info probe(const std::string& path);

// What survives from a file into save(): colour profile, resolution, EXIF and XMP (without the
// orientation, which is applied, and thumbnails, which would be stale), FITS header cards; and
// the scale of the pixel values (Info::white, Info::physical).
struct Metadata;

template <class T>
struct Picture {
  Image<T> pixels;     // (pages, channels, H, W)
  bool alpha = false;  // the last channel is (unpremultiplied) alpha
  Info info;
  std::shared_ptr<const Metadata> metadata;
};

// A photograph: palette, CMYK and Lab converted to RGB, orientation applied, integers to 0..1
// (alpha too) except in FITS files. Pages become the batch and must be of one size. EXR is read at
// half precision. Non-finite pixels pass. Throws Error naming the file and the reason; so for
// an image whose working copies (four of T) exceed `memory` bytes, 0 = what the machine has left.
template <class T>
Picture<T> load_picture(const std::string& path, double memory = 0);

// A map (sigma, logchol, mask): bands are never alpha, pages and planes count as channels, integer
// samples keep their raw values unless `normalise` divides them by sample_max (FITS integers too).
// Float samples pass as they are. Pixels are (1, C, H, W).
template <class T>
Picture<T> load_map(const std::string& path, bool normalise, double memory = 0);

struct SaveOptions {
  Sample sample = Sample::u8;  // integers clip and round, NaN becomes 0; 0..1 maps to 0..sample_max
  bool alpha = false;          // the last channel is alpha
  bool overwrite = false;      // else an existing file is an Error
  // Of the loaded picture: survives where the format can hold it. Pixels of a FITS picture are in
  // its physical units: they go to an integer FITS file as they are, and to other integer files
  // with Info::white at sample_max. Without metadata pixels are in 0..1.
  std::shared_ptr<const Metadata> metadata = nullptr;
};

// Writes (pages, channels, H, W), or (1, C, L) as one row. The format follows the extension: PNG
// (8, 16 bit), JPEG and WebP (8 bit), TIFF and FITS (every type). Several pages need TIFF or FITS.
// Writes a temporary file beside the target of `path` (symbolic links are followed) and renames it
// at the end; on any failure nothing is left. A device is written to directly.
template <class T>
void save(const std::string& path, const View<const T>& pixels, const SaveOptions& options);

// Throws the Error that save() would throw, before the work is done: unknown extension, a format
// that cannot hold the sample type, the channels or the pages, an existing file, a missing or
// unwritable folder.
void check_can_save(const std::string& path, const SaveOptions& options, Index channels,
                    Index pages);

// Deletes the temporary file of a running save(). Async-signal-safe: call it from a signal handler
// before leaving.
void remove_temporary_files() noexcept;

// A picture in 0..1, (1, 1 | 3, H, W), as the bytes of an 8-bit PNG file.
std::vector<std::uint8_t> encode_png(const View<const float>& pixels);

}  // namespace blurfield::io
