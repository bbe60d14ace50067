// SPDX-License-Identifier: BSD-3-Clause
// An image of the library, handed to Python with its memory.
#pragma once

#include <variant>

#include "blurfield/base/image.h"

namespace blurfield::python {

// Has the buffer protocol in Python.
struct Pixels {
  std::variant<Image<float>, Image<double>> image;
};

}  // namespace blurfield::python
