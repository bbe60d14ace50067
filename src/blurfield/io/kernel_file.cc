// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/kernel_file.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <locale>
#include <sstream>
#include <string_view>
#include <vector>

#include "blurfield/io/file_kind.h"
#include "blurfield/io/picture.h"

namespace blurfield::io {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kBlanks = " \t\f\v";

template <class... Args>
[[noreturn]] void fail(const std::string& path, const Args&... reason) {
  throw Error(message(path, ": ", reason...));
}

// A piece of a file as a message can show it.
std::string quoted(std::string_view piece) {
  constexpr std::size_t kShown = 24;
  std::string text(piece.substr(0, kShown));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return "'" + text + (piece.size() > kShown ? "...'" : "'");
}

std::string read_file(const std::string& path) {
  constexpr std::size_t kMost = std::size_t{1} << 28;
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  std::ifstream file(path, std::ios::binary);
  std::string bytes;
  while (file) {
    const std::size_t size = bytes.size();
    if (size > kMost) fail(path, "expected a kernel of at most ", kMost, " bytes");
    bytes.resize(size + kPiece);
    file.read(bytes.data() + size, kPiece);
    bytes.resize(size + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) fail(path, "cannot read");
  return bytes;
}

double parse_number(const std::string& path, Index line, std::string_view token) {
  const auto refuse = [&](const char* expected) {
    fail(path, "line ", line, ": expected ", expected, ", got ", quoted(token));
  };
  std::string_view digits = token;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {  // too large, or too small, which a stream tells
    std::istringstream stream{std::string(digits)};
    stream.imbue(std::locale::classic());
    if (!(stream >> value)) refuse("a number that fits a double");
    return value;
  }
  if (error != std::errc() || end != digits.data() + digits.size()) refuse("a number");
  if (!std::isfinite(value)) refuse("a finite number");
  return value;
}

// Appends the numbers of a line and returns how many there are.
Index parse_line(const std::string& path, Index line, std::string_view text,
                 std::vector<double>& numbers) {
  const auto skip_blanks = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  };
  Index count = 0;
  skip_blanks();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\f\v,"), text.size());
    if (end == 0) fail(path, "line ", line, ": expected a number before ','");
    numbers.push_back(parse_number(path, line, text.substr(0, end)));
    ++count;
    text.remove_prefix(end);
    skip_blanks();
    if (!text.starts_with(',')) continue;
    text.remove_prefix(1);
    skip_blanks();
    if (text.empty()) fail(path, "line ", line, ": expected a number after ','");
  }
  return count;
}

Image<double> parse_text(const std::string& path, std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // the mark of UTF-8
  std::vector<double> numbers;
  Index rows = 0;
  Index columns = 0;
  Index line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view whole = text.substr(0, end);
    const Index count = parse_line(path, line, whole.substr(0, whole.find('#')), numbers);
    text.remove_prefix(end);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, text.size()));
    if (count == 0) continue;
    ++rows;
    if (rows == 1) columns = count;
    if (count != columns) {
      fail(path, "row ", rows, " on line ", line, " has ", count, " number", count == 1 ? "" : "s",
           ", expected ", columns);
    }
  }
  if (rows == 0) {
    fail(path, "expected rows of numbers, got none on ", line, " line", line == 1 ? "" : "s");
  }
  Image<double> kernel({rows, columns});
  std::copy(numbers.begin(), numbers.end(), kernel.data());
  return kernel;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << 8 * i;
  }
  return value;
}

// The text after 'key': in a .npy header, a Python dictionary.
std::string_view npy_field(const std::string& path, std::string_view header, const char* key) {
  const std::string name = message("'", key, "'");
  const std::size_t at = header.find(name);
  std::string_view rest =
      at == std::string_view::npos ? header.substr(0, 0) : header.substr(at + name.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" :"), rest.size()));
  if (rest.empty()) fail(path, "damaged .npy file: expected ", name, " in its header");
  return rest;
}

struct Npy {
  Index rows = 1;
  Index columns = 0;
  bool big_endian = false;
  std::size_t width = 8;  // bytes of a number
  std::string_view numbers;
};

void parse_npy_type(const std::string& path, std::string_view header, Npy& npy) {
  const std::string_view type = npy_field(path, header, "descr");
  const std::string_view name = type.substr(0, type.find('\'', 1) + 1);
  if (name != "'<f4'" && name != "'>f4'" && name != "'<f8'" && name != "'>f8'") {
    fail(path, "expected float32 or float64 ('<f4', '>f4', '<f8' or '>f8'), got ",
         name.starts_with('\'') ? quoted(name.substr(1, name.size() - 2)) : quoted(type));
  }
  npy.big_endian = name[1] == '>';
  npy.width = name[3] == '4' ? 4 : 8;
  const std::string_view order = npy_field(path, header, "fortran_order");
  if (order.starts_with("True")) {
    fail(path, "expected C order, got Fortran order (numpy.ascontiguousarray changes it)");
  }
  if (!order.starts_with("False")) {
    fail(path, "damaged .npy file: got fortran_order ", quoted(order));
  }
}

void parse_npy_shape(const std::string& path, std::string_view header, Npy& npy) {
  std::string_view shape = npy_field(path, header, "shape");
  const std::size_t end = shape.find(')');
  const std::string shown = quoted(shape.substr(0, end == std::string_view::npos ? end : end + 1));
  const auto damaged = [&] { fail(path, "damaged .npy file: got shape ", shown); };
  if (!shape.starts_with('(') || end == std::string_view::npos) damaged();
  shape = shape.substr(1, end - 1);
  std::vector<Index> extents;
  while (true) {
    shape.remove_prefix(std::min(shape.find_first_not_of(' '), shape.size()));
    if (shape.empty()) break;
    Index extent = 0;
    const auto [rest, error] = std::from_chars(shape.data(), shape.data() + shape.size(), extent);
    if (error != std::errc() || extent < 0) damaged();
    extents.push_back(extent);
    shape.remove_prefix(static_cast<std::size_t>(rest - shape.data()));
    if (!shape.empty() && !shape.starts_with(',')) damaged();
    if (!shape.empty()) shape.remove_prefix(1);
  }
  if (extents.empty() || extents.size() > 2) {
    fail(path, "expected an array of 1 or 2 axes, got ", extents.size(), ": shape ", shown);
  }
  if (extents.size() == 2) npy.rows = extents[0];
  npy.columns = extents.back();
  if (npy.rows == 0 || npy.columns == 0) fail(path, "the kernel has zero size: shape ", shown);
}

// Of bytes that start with kMagic.
Npy parse_npy_header(const std::string& path, std::string_view bytes) {
  constexpr std::size_t kVersion = kMagic.size();
  constexpr std::size_t kLength = kVersion + 2;
  const int version = bytes.size() > kVersion ? bytes[kVersion] : 1;
  if (version < 1 || version > 3) {
    fail(path, "expected a .npy file of version 1, 2 or 3, got ", version);
  }
  const std::size_t digits = version == 1 ? 2 : 4;
  const std::size_t start = kLength + digits;
  if (bytes.size() < start) fail(path, "truncated .npy file: it ends within its header");
  const std::uint64_t length = little_endian(bytes.substr(kLength, digits));
  if (length > bytes.size() - start) {
    fail(path, "truncated .npy file: expected a header of ", length, " bytes, got ",
         bytes.size() - start);
  }
  const std::string_view header = bytes.substr(start, length);
  Npy npy;
  parse_npy_type(path, header, npy);
  parse_npy_shape(path, header, npy);
  npy.numbers = bytes.substr(start + length);
  return npy;
}

Image<double> parse_npy(const std::string& path, std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) fail(path, "not a .npy file: expected \\x93NUMPY first");
  const Npy npy = parse_npy_header(path, bytes);
  const std::size_t count = npy.numbers.size() / npy.width;
  if (npy.numbers.size() % npy.width != 0 || static_cast<Index>(count) / npy.rows != npy.columns ||
      static_cast<Index>(count) % npy.rows != 0) {
    fail(path, "truncated or damaged .npy file: expected ", npy.rows, " x ", npy.columns,
         " numbers of ", npy.width, " bytes, got ", npy.numbers.size(), " bytes");
  }
  Image<double> kernel({npy.rows, npy.columns});
  for (std::size_t i = 0; i < count; ++i) {
    std::string number(npy.numbers.substr(i * npy.width, npy.width));
    if (npy.big_endian) std::reverse(number.begin(), number.end());
    const std::uint64_t bits = little_endian(number);
    kernel.data()[i] = npy.width == 8 ? std::bit_cast<double>(bits)
                                      : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  }
  return kernel;
}

// The first of equal channels.
Image<double> load_image(const std::string& path) {
  const Picture<double> picture = load_picture<double>(path);
  const View<const double> pixels = picture.pixels.view();
  const Index colours = pixels.channels() - (picture.alpha ? 1 : 0);
  const double white = picture.info.white;
  if (pixels.batch() != 1) fail(path, "expected a kernel of 1 page, got ", pixels.batch());
  Image<double> kernel({pixels.height(), pixels.width()});
  for (Index y = 0; y < pixels.height(); ++y) {
    for (Index x = 0; x < pixels.width(); ++x) {
      const double grey = pixels.at(0, 0, y, x);
      kernel.data()[y * pixels.width() + x] = grey / white;
      for (Index c = 1; c < colours; ++c) {
        const double other = pixels.at(0, c, y, x);
        if (other == grey || !std::isfinite(grey)) continue;
        fail(path, "expected a kernel in grey, its ", colours, " channels equal, got ",
             grey / white, " and ", other / white, " at (y, x) = (", y, ", ", x, ")");
      }
      if (picture.alpha && pixels.at(0, colours, y, x) != white) {
        fail(path, "expected an opaque kernel, got alpha ", pixels.at(0, colours, y, x) / white,
             " at (y, x) = (", y, ", ", x, ")");
      }
    }
  }
  return kernel;
}

}  // namespace

Image<double> load_kernel(const std::string& path) {
  const bool image = !known_format(path).empty();
  const std::string bytes = image ? "" : read_file(path);
  const bool npy = bytes.starts_with(kMagic) || path.ends_with(".npy");
  Image<double> kernel = image ? load_image(path)
                         : npy ? parse_npy(path, bytes)
                               : parse_text(path, bytes);
  for (Index i = 0; i < kernel.elements(); ++i) {
    if (std::isfinite(kernel.data()[i])) continue;
    fail(path, "expected finite numbers, got ", kernel.data()[i], " at (y, x) = (",
         i / kernel.shape()[1], ", ", i % kernel.shape()[1], ")");
  }
  return kernel;
}

}  // namespace blurfield::io
