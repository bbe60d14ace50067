// SPDX-License-Identifier: BSD-3-Clause
// Convolution kernels from files: rows of numbers as text, a NumPy array, or an image.
#pragma once

#include <string>

#include "blurfield/base/image.h"

namespace blurfield::io {

// The kernel (rows, columns), all finite. What the file is, its first bytes tell (and .npy).
//   text   one row per line, numbers separated by blanks or one comma; # starts a comment; what is
//          too small for a double is 0
//   .npy   versions 1.0 to 3.0, C order, float32 or float64 in either byte order, two axes, or one:
//          a single row
//   image  one page of grey or of equal channels, without alpha or opaque: integer samples map to
//          0..1, float samples are as they are
// Throws Error naming the file, the reason and, for text, the line.
Image<double> load_kernel(const std::string& path);

}  // namespace blurfield::io
