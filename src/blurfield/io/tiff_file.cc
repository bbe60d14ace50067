// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/tiff_file.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "blurfield/io/rows/tiff_handle.h"
#include "blurfield/io/sample.h"

namespace blurfield::io {
namespace {

std::vector<std::uint16_t> extra_samples(const TiffHandle& tiff) {
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  if (!TIFFGetField(tiff.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds)) return {};
  return {kinds, kinds + count};
}

std::vector<char> bytes(const TiffHandle& tiff, std::uint32_t name) {
  std::uint32_t size = 0;
  char* data = nullptr;
  if (!TIFFGetField(tiff.get(), name, &size, &data)) return {};
  return {data, data + size};
}

TiffAlpha alpha_of(const TiffHandle& tiff) {
  const std::vector<std::uint16_t> extra = extra_samples(tiff);
  const auto plain = std::count(extra.begin(), extra.end(), EXTRASAMPLE_UNSPECIFIED);
  if (extra.empty() || static_cast<std::size_t>(plain) + 1 != extra.size()) return TiffAlpha::none;
  if (extra.back() == EXTRASAMPLE_ASSOCALPHA) return TiffAlpha::premultiplied;
  return extra.back() == EXTRASAMPLE_UNASSALPHA ? TiffAlpha::straight : TiffAlpha::none;
}

std::optional<Sample> sample(const TiffHandle& tiff) {
  const int bits = tiff.tag<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
  switch (tiff.tag<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT)) {
    case SAMPLEFORMAT_UINT:
      if (bits == 8) return Sample::u8;
      if (bits == 16) return Sample::u16;
      if (bits == 32) return Sample::u32;
      break;
    case SAMPLEFORMAT_INT:
      if (bits == 8) return Sample::i8;
      if (bits == 16) return Sample::i16;
      if (bits == 32) return Sample::i32;
      break;
    case SAMPLEFORMAT_IEEEFP:
      if (bits == 32) return Sample::f32;
      if (bits == 64) return Sample::f64;
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace

TiffAlpha tiff_alpha(const std::string& path) {
  const TiffHandle tiff(path, "r");
  return tiff ? alpha_of(tiff) : TiffAlpha::none;
}

void mark_extra_samples(const std::string& path, bool alpha) {
  const TiffHandle tiff(path, "r+");
  if (!tiff) tiff.fail();
  const int pages = static_cast<int>(TIFFNumberOfDirectories(tiff.get()));
  for (int page = 0; page < pages; ++page) {
    if (!TIFFSetDirectory(tiff.get(), static_cast<tdir_t>(page))) tiff.fail();
    const std::vector<std::uint16_t> old = extra_samples(tiff);
    std::vector<std::uint16_t> extra(old.size(), EXTRASAMPLE_UNSPECIFIED);
    if (alpha && !extra.empty()) extra.back() = EXTRASAMPLE_UNASSALPHA;
    if (extra == old) continue;
    if (!TIFFSetField(tiff.get(), TIFFTAG_EXTRASAMPLES, static_cast<int>(extra.size()),
                      extra.data()) ||
        !TIFFRewriteDirectory(tiff.get())) {
      tiff.fail();
    }
  }
}

constexpr int kTallStrip = 64;

// A band of rows is decoded at a time: a strip or a part of one, or a row of tiles, of each plane.
struct TiffRows::State {
  explicit State(const std::string& path) : tiff(path, "r") {}

  void read_layout() {
    width = static_cast<int>(tiff.tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0));
    height = static_cast<int>(tiff.tag<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0));
    bands = tiff.tag<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
    planes = tiff.tag<std::uint16_t>(TIFFTAG_PLANARCONFIG, 1) == PLANARCONFIG_SEPARATE ? bands : 1;
    tiled = TIFFIsTiled(tiff.get()) != 0;
    const std::uint32_t all = static_cast<std::uint32_t>(height);
    const auto rows = tiled ? tiff.tag<std::uint32_t>(TIFFTAG_TILELENGTH, 1)
                            : std::min(all, tiff.tag<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, all));
    block_height = static_cast<int>(rows);
    block_width = tiled ? static_cast<int>(tiff.tag<std::uint32_t>(TIFFTAG_TILEWIDTH, 1)) : width;
    // A strip may be the whole image, which need not fit in memory.
    by_row = !tiled && block_height > kTallStrip &&
             (planes == 1 || tiff.tag<std::uint16_t>(TIFFTAG_COMPRESSION, 1) == COMPRESSION_NONE);
    if (by_row) block_height = kTallStrip;
    if (std::min({width, height, bands, block_width, block_height}) < 1) {
      throw Error("the image has zero size");
    }
  }

  bool is_for_us() const {
    const auto colours = tiff.tag<std::uint16_t>(TIFFTAG_PHOTOMETRIC, 1);
    if (colours != PHOTOMETRIC_MINISBLACK && colours != PHOTOMETRIC_RGB) return false;
    const std::optional<Sample> kind = sample(tiff);
    // libvips 8.14 reads strips of separate planes with the wrong row stride.
    const bool separate = tiff.tag<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1) > 1 &&
                          tiff.tag<std::uint16_t>(TIFFTAG_PLANARCONFIG, 1) == PLANARCONFIG_SEPARATE;
    return kind && (*kind == Sample::f64 || separate || alpha_of(tiff) == TiffAlpha::premultiplied);
  }

  void read_header() {
    header.width = width;
    header.height = height;
    header.bands = bands;
    header.pages = static_cast<int>(TIFFNumberOfDirectories(tiff.get()));
    header.orientation = tiff.tag<std::uint16_t>(TIFFTAG_ORIENTATION, 1);
    header.sample = sample(tiff).value();
    header.rgb = tiff.tag<std::uint16_t>(TIFFTAG_PHOTOMETRIC, 1) == PHOTOMETRIC_RGB;
    const bool inches = tiff.tag<std::uint16_t>(TIFFTAG_RESOLUTIONUNIT, 2) == RESUNIT_INCH;
    const double per_mm = inches ? 1 / 25.4 : 0.1;
    const float x = tiff.tag<float>(TIFFTAG_XRESOLUTION, 0);
    const float y = tiff.tag<float>(TIFFTAG_YRESOLUTION, 0);
    if (x > 0 && y > 0) {
      header.x_resolution = static_cast<double>(x) * per_mm;
      header.y_resolution = static_cast<double>(y) * per_mm;
    }
    header.profile = bytes(tiff, TIFFTAG_ICCPROFILE);
    header.xmp = bytes(tiff, TIFFTAG_XMLPACKET);
  }

  void go_to_page(int number) {
    if (!TIFFSetDirectory(tiff.get(), static_cast<tdir_t>(number))) tiff.fail();
    read_layout();
    if (width != header.width || height != header.height || bands != header.bands ||
        sample(tiff) != header.sample) {
      throw Error(message("page ", number, " differs from page 0"));
    }
    page = number;
    top = -1;
  }

  std::size_t sample_size() const {
    return with_sample(header.sample, [](auto s) { return sizeof s; });
  }

  // Decodes the block whose left upper corner is (x, y) of a plane into `band`.
  void read_block(int x, int y, int plane) {
    const int rows = std::min(block_height, height - y);
    const std::size_t size = sample_size();
    const std::size_t pixel = size * bands;  // of `band`; of `block` if there is one plane
    const std::size_t step = planes > 1 ? size : pixel;
    const std::size_t row_bytes = step * block_width;
    block.resize(row_bytes * block_height);
    const auto ux = static_cast<std::uint32_t>(x);
    const auto uy = static_cast<std::uint32_t>(y);
    const auto uplane = static_cast<std::uint16_t>(plane);
    const auto wanted = static_cast<tmsize_t>(row_bytes * (tiled ? block_height : rows));
    if (by_row) {
      for (int r = 0; r < rows; ++r) {
        char* to = block.data() + row_bytes * r;
        if (TIFFReadScanline(tiff.get(), to, uy + static_cast<std::uint32_t>(r), uplane) != 1) {
          tiff.fail();
        }
      }
    } else if ((tiled ? TIFFReadEncodedTile(tiff.get(),
                                            TIFFComputeTile(tiff.get(), ux, uy, 0, uplane),
                                            block.data(), wanted)
                      : TIFFReadEncodedStrip(tiff.get(), TIFFComputeStrip(tiff.get(), uy, uplane),
                                             block.data(), wanted)) != wanted) {
      tiff.fail();
    }
    const int columns = std::min(block_width, width - x);
    for (int r = 0; r < rows; ++r) {
      const char* from = block.data() + row_bytes * r;
      char* to = band.data() + (static_cast<std::size_t>(r) * width + x) * pixel + plane * size;
      for (int i = 0; i < columns; ++i) std::memcpy(to + i * pixel, from + i * step, step);
    }
  }

  TiffHandle tiff;
  Header header;
  int width = 0, height = 0, bands = 0, planes = 1;
  int block_width = 0, block_height = 0;
  bool tiled = false;
  bool by_row = false;
  int page = 0;
  int top = -1;  // first row of `band`
  std::vector<char> band, block;
};

TiffRows::TiffRows(std::unique_ptr<State> state) : state_(std::move(state)) {}
TiffRows::~TiffRows() = default;

std::unique_ptr<TiffRows> TiffRows::open(const std::string& path) {
  auto state = std::make_unique<State>(path);
  if (!state->tiff || !state->is_for_us()) return nullptr;
  state->read_layout();
  state->read_header();
  for (int page = state->header.pages - 1; page >= 0; --page) state->go_to_page(page);
  return std::unique_ptr<TiffRows>(new TiffRows(std::move(state)));
}

const TiffRows::Header& TiffRows::header() const { return state_->header; }

const void* TiffRows::row(int page, int y) {
  State& s = *state_;
  if (page != s.page) s.go_to_page(page);
  const int top = y / s.block_height * s.block_height;
  if (top != s.top) {
    s.band.resize(s.sample_size() * s.width * s.block_height * s.bands);
    for (int plane = 0; plane < s.planes; ++plane) {
      for (int x = 0; x < s.width; x += s.block_width) s.read_block(x, top, plane);
    }
    s.top = top;
  }
  return s.band.data() + s.sample_size() * (y - top) * s.width * s.bands;
}

}  // namespace blurfield::io
