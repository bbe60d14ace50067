// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/file_kind.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "blurfield/base/error.h"

namespace blurfield::io {
namespace {

using namespace std::string_view_literals;

struct Signature {
  const char* format;
  std::size_t offset;
  std::string_view bytes;
};
constexpr Signature kSignatures[] = {
    {"png", 0, "\x89PNG\r\n\x1a\n"sv},
    {"jpeg", 0, "\xff\xd8\xff"sv},
    {"tiff", 0, "II*\0"sv},
    {"tiff", 0, "MM\0*"sv},
    {"tiff", 0, "II+\0"sv},
    {"tiff", 0, "MM\0+"sv},
    {"webp", 8, "WEBP"sv},
    {"fits", 0, "SIMPLE  ="sv},
    {"fits", 0, "\x1f\x8b"sv},  // compressed; CFITSIO says if it is not FITS inside
    {"exr", 0, "\x76\x2f\x31\x01"sv},
};

}  // namespace

std::string known_format(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw Error(path + ": is a folder; expected a file");
  // Opening a pipe would wait for somebody to write, and formats are read back and forth.
  if (std::filesystem::is_fifo(path, error) || std::filesystem::is_socket(path, error)) {
    throw Error(path + ": is a pipe; expected a file");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(message(path, ": cannot open: ", errno ? std::strerror(errno) : "unknown reason"));
  }
  std::array<char, 16> start{};
  file.read(start.data(), start.size());
  const std::string_view bytes(start.data(), static_cast<std::size_t>(file.gcount()));
  if (bytes.empty()) throw Error(path + ": the file is empty");
  for (const Signature& s : kSignatures) {
    if (bytes.size() > s.offset && bytes.substr(s.offset).starts_with(s.bytes)) return s.format;
  }
  return {};
}

std::string file_format(const std::string& path) {
  std::string format = known_format(path);
  if (format.empty()) {
    throw Error(path + ": not an image (expected PNG, JPEG, TIFF, WebP, FITS or EXR)");
  }
  return format;
}

std::vector<std::string> exr_channels(const std::string& path) {
  // magic, version, then attributes: name \0 type \0 size value; an empty name ends them.
  std::ifstream file(path, std::ios::binary);
  file.seekg(8);
  std::string name;
  std::string type;
  while (std::getline(file, name, '\0') && !name.empty() && std::getline(file, type, '\0')) {
    std::array<unsigned char, 4> raw{};
    file.read(reinterpret_cast<char*>(raw.data()), raw.size());
    const std::uint32_t size = raw[0] | raw[1] << 8 | raw[2] << 16 | std::uint32_t{raw[3]} << 24;
    if (type != "chlist") {
      file.seekg(size, std::ios::cur);
      continue;
    }
    std::vector<std::string> channels;
    while (std::getline(file, name, '\0') && !name.empty()) {  // name \0, 16 bytes of properties
      channels.push_back(name);
      file.seekg(16, std::ios::cur);
    }
    return channels;
  }
  return {};
}

}  // namespace blurfield::io
