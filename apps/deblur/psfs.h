// SPDX-License-Identifier: BSD-3-Clause
// Point-spread functions from files; errors name the file, what was expected and what came.
#pragma once

#include <array>
#include <string>

#include "blurfield/base/image.h"

namespace blurfield::app {

// (H, W), finite, of a positive sum: what parse_psf makes of the text, or a file by
// io::load_kernel.
Image<double> load_psf(const std::string& text);

// (ny, nx, H, W), each as above: a folder of ny nx images of one size, row by row in the order of
// their names; a file of as many pages or planes; or a mosaic, an image of one channel that the
// grid divides into equal parts (also .npy and .txt).
Image<double> load_psf_grid(const std::string& path, const std::array<Index, 2>& cells);

}  // namespace blurfield::app
