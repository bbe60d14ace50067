// SPDX-License-Identifier: BSD-3-Clause
// Reads arrays from the uncompressed .npz files of tests/data.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "blurfield/base/image.h"

namespace blurfield::test {

struct Array {
  std::vector<Index> shape;    // empty for a number
  std::vector<double> values;  // integers are converted

  double number() const { return values.at(0); }
  // A copy as an image of this shape, which must have as many elements.
  template <class T>
  Image<T> image(const Shape& as) const {
    require(as.elements() == static_cast<Index>(values.size()), "Array::image", "expected ",
            values.size(), " elements, got ", as.text());
    Image<T> result(as);
    for (std::size_t i = 0; i < values.size(); ++i) result.data()[i] = static_cast<T>(values[i]);
    return result;
  }
  // The same with the array's own shape, led by ones up to four axes.
  template <class T>
  Image<T> image() const {
    Shape as{1, 1, 1, 1};
    for (std::size_t i = 0; i < shape.size(); ++i) {
      as[static_cast<int>(4 - shape.size() + i)] = shape[i];
    }
    return image<T>(as);
  }
};

class Npz {
 public:
  // `name` is a file of tests/data; throws Error if it cannot be read.
  explicit Npz(const std::string& name);
  // "case/array"; throws Error if there is none.
  const Array& operator[](const std::string& key) const;
  bool has(const std::string& key) const { return arrays_.count(key) > 0; }

 private:
  std::string name_;
  std::map<std::string, Array> arrays_;
};

}  // namespace blurfield::test
