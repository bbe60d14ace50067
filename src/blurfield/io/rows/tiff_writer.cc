// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/tiff_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "blurfield/io/sample.h"

namespace blurfield::io {
namespace {

constexpr Index kSide = 256;            // of a tile, pixels
constexpr double kBig = 3'500'000'000;  // classic TIFF ends at 4 GB

Index size_of(Sample sample) {
  return with_sample(sample, [](auto s) { return static_cast<Index>(sizeof s); });
}

int sample_format(Sample sample) {
  if (is_float(sample)) return SAMPLEFORMAT_IEEEFP;
  const bool is_signed = sample == Sample::i8 || sample == Sample::i16 || sample == Sample::i32;
  return is_signed ? SAMPLEFORMAT_INT : SAMPLEFORMAT_UINT;
}

const char* mode_for(const Shape& shape, Sample sample) {
  return static_cast<double>(shape.elements() * size_of(sample)) > kBig ? "w8" : "w";
}

void set_bytes(TIFF* tiff, std::uint32_t name, const std::vector<std::uint8_t>& bytes) {
  if (bytes.empty()) return;
  TIFFSetField(tiff, name, static_cast<std::uint32_t>(bytes.size()), bytes.data());
}

void set_tags(TIFF* tiff, const TiffTags& tags) {
  set_bytes(tiff, TIFFTAG_ICCPROFILE, tags.profile);
  set_bytes(tiff, TIFFTAG_XMLPACKET, tags.xmp);
  if (!tags.iptc.empty()) {  // counted in longs
    std::vector<std::uint8_t> longs = tags.iptc;
    longs.resize((longs.size() + 3) / 4 * 4, 0);
    TIFFSetField(tiff, TIFFTAG_RICHTIFFIPTC, static_cast<std::uint32_t>(longs.size() / 4),
                 longs.data());
  }
  if (!tags.description.empty()) {
    TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, tags.description.c_str());
  }
  const double unit = tags.inches ? 25.4 : 10.0;  // mm
  TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, tags.inches ? RESUNIT_INCH : RESUNIT_CENTIMETER);
  TIFFSetField(tiff, TIFFTAG_XRESOLUTION, tags.x_resolution * unit);
  TIFFSetField(tiff, TIFFTAG_YRESOLUTION, tags.y_resolution * unit);
}

}  // namespace

TiffWriter::TiffWriter(const std::string& path, const Shape& shape, Sample sample, bool alpha,
                       TiffTags tags)
    : tiff_(path, mode_for(shape, sample)),
      shape_(shape),
      sample_(sample),
      alpha_(alpha),
      tags_(std::move(tags)),
      pixel_bytes_(shape[1] * size_of(sample)),
      rows_(static_cast<std::size_t>(kSide * shape[3] * pixel_bytes_)),
      tile_(static_cast<std::size_t>(kSide * kSide * pixel_bytes_)) {
  if (!tiff_) tiff_.fail("cannot open");
  begin_page();
}

void TiffWriter::begin_page() {
  TIFF* tiff = tiff_.get();
  const auto channels = static_cast<int>(shape_[1]);
  const bool rgb = channels - (alpha_ ? 1 : 0) == 3;
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(shape_[3]));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(shape_[2]));
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, channels);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * size_of(sample_)));
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, sample_format(sample_));
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, rgb ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_TILEWIDTH, static_cast<std::uint32_t>(kSide));
  TIFFSetField(tiff, TIFFTAG_TILELENGTH, static_cast<std::uint32_t>(kSide));
  if (is_float(sample_)) {
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  } else {
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
  }
  const int extra = channels - (rgb ? 3 : 1);
  if (extra > 0) {
    std::vector<std::uint16_t> kinds(static_cast<std::size_t>(extra), EXTRASAMPLE_UNSPECIFIED);
    if (alpha_) kinds.back() = EXTRASAMPLE_UNASSALPHA;
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, extra, kinds.data());
  }
  if (shape_[0] > 1) {
    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
    TIFFSetField(tiff, TIFFTAG_PAGENUMBER, static_cast<int>(page_), static_cast<int>(shape_[0]));
  }
  set_tags(tiff, tags_);
}

void* TiffWriter::row() { return rows_.data() + y_ % kSide * shape_[3] * pixel_bytes_; }

void TiffWriter::next_row() {
  ++y_;
  if (y_ % kSide == 0 || y_ == shape_[2]) write_tiles();
  if (y_ < shape_[2]) return;
  if (TIFFWriteDirectory(tiff_.get()) != 1) tiff_.fail("cannot write a page");
  ++page_;
  y_ = 0;
  if (page_ < shape_[0]) begin_page();
}

// Beyond the image tiles hold zeros.
void TiffWriter::write_tiles() {
  const Index top = (y_ - 1) / kSide * kSide;
  const Index row_bytes = shape_[3] * pixel_bytes_;
  for (Index x = 0; x < shape_[3]; x += kSide) {
    const Index columns = std::min(kSide, shape_[3] - x);
    std::fill(tile_.begin(), tile_.end(), '\0');
    for (Index y = top; y < y_; ++y) {
      std::memcpy(tile_.data() + (y - top) * kSide * pixel_bytes_,
                  rows_.data() + (y - top) * row_bytes + x * pixel_bytes_,
                  static_cast<std::size_t>(columns * pixel_bytes_));
    }
    const std::uint32_t tile = TIFFComputeTile(tiff_.get(), static_cast<std::uint32_t>(x),
                                               static_cast<std::uint32_t>(top), 0, 0);
    const auto bytes = static_cast<tmsize_t>(tile_.size());
    if (TIFFWriteEncodedTile(tiff_.get(), tile, tile_.data(), bytes) != bytes) {
      tiff_.fail("cannot write a tile");
    }
  }
}

void TiffWriter::finish() {
  if (page_ != shape_[0]) throw Error("rows are missing");
  if (TIFFFlush(tiff_.get()) != 1) tiff_.fail("cannot finish the file");
}

}  // namespace blurfield::io
