// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/npz.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

namespace blurfield::test {
namespace {

template <class Integer>
Integer read(const std::string& bytes, std::size_t at) {
  require(at + sizeof(Integer) <= bytes.size(), "Npz", "truncated file");
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The text between `from` and `to`, which must both be there.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto start = text.find(from);
  require(start != std::string::npos, "Npz", "expected ", from, " in ", text);
  const auto begin = start + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

Array parse_npy(const std::string& npy) {
  require(npy.compare(0, 6, "\x93NUMPY") == 0 && npy.at(6) == 1, "Npz", "expected .npy version 1");
  const auto header_size = read<std::uint16_t>(npy, 8);
  const std::string header = npy.substr(10, header_size);
  const std::string type = between(header, "'descr': '", "'");
  require(header.find("'fortran_order': False") != std::string::npos, "Npz", "expected C order");
  require(type == "<f8" || type == "<i8", "Npz", "expected <f8 or <i8, got ", type);
  Array array;
  std::string extents = between(header, "'shape': (", ")");
  std::size_t count = 1;
  for (std::size_t at = 0; at < extents.size();) {
    const auto comma = std::min(extents.find(',', at), extents.size());
    const std::string extent = extents.substr(at, comma - at);
    if (extent.find_first_of("0123456789") != std::string::npos) {
      array.shape.push_back(std::stol(extent));
      count *= static_cast<std::size_t>(array.shape.back());
    }
    at = comma + 1;
  }
  const std::size_t data = 10u + header_size;
  for (std::size_t i = 0; i < count; ++i) {
    array.values.push_back(type == "<f8"
                               ? read<double>(npy, data + 8 * i)
                               : static_cast<double>(read<std::int64_t>(npy, data + 8 * i)));
  }
  return array;
}

}  // namespace

Npz::Npz(const std::string& name) : name_(name) {
  std::ifstream file(std::string(BLURFIELD_TEST_DATA "/") + name, std::ios::binary);
  require(file.good(), "Npz", "cannot open ", name);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto end = bytes.rfind("PK\x05\x06");  // end of the zip's central directory
  require(end != std::string::npos, "Npz", name, " is not a zip file");
  const auto entries = read<std::uint16_t>(bytes, end + 10);
  std::size_t at = read<std::uint32_t>(bytes, end + 16);
  for (int i = 0; i < entries; ++i) {
    require(read<std::uint16_t>(bytes, at + 10) == 0, "Npz", "expected no compression in ", name);
    const auto size = read<std::uint32_t>(bytes, at + 24);
    const auto key_size = read<std::uint16_t>(bytes, at + 28);
    const auto local = read<std::uint32_t>(bytes, at + 42);
    const std::string key = bytes.substr(at + 46, key_size);
    const std::size_t data = local + 30u + read<std::uint16_t>(bytes, local + 26) +
                             read<std::uint16_t>(bytes, local + 28);
    arrays_[key.substr(0, key.rfind(".npy"))] = parse_npy(bytes.substr(data, size));
    at +=
        46u + key_size + read<std::uint16_t>(bytes, at + 30) + read<std::uint16_t>(bytes, at + 32);
  }
}

const Array& Npz::operator[](const std::string& key) const {
  const auto found = arrays_.find(key);
  require(found != arrays_.end(), "Npz", "no array ", key, " in ", name_);
  return found->second;
}

}  // namespace blurfield::test
