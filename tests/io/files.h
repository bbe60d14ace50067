// SPDX-License-Identifier: BSD-3-Clause
// What the io tests share: a folder that goes, the bytes of files, pictures and errors.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "blurfield/base/random.h"
#include "blurfield/io/picture.h"

namespace blurfield::io {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "blurfield-io-XXXXXX").string();
    if (!mkdtemp(name.data())) throw Error("no temporary folder");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

template <class T>
std::vector<T> values(const Image<T>& image) {
  return {image.data(), image.data() + image.elements()};
}

// The text of the Error that `work` throws; fails if it throws none.
template <class F>
std::string error_of(F&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

// Pixels on the levels of `sample` (any values for floats), in 0..1.
template <class T>
Image<T> random_picture(const Shape& shape, Sample sample, std::uint64_t seed) {
  Random random(seed);
  Image<T> image(shape);
  for (Index i = 0; i < image.elements(); ++i) {
    const double value = random.uniform();
    if (is_float(sample)) {
      image.data()[i] = static_cast<T>(static_cast<float>(4 * value - 2));
    } else {
      const double levels = sample_max(sample);
      image.data()[i] = static_cast<T>(std::floor(value * (levels + 1)) / levels);
    }
  }
  return image;
}

}  // namespace blurfield::io
