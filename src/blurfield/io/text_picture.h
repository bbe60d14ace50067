// SPDX-License-Identifier: BSD-3-Clause
// Text as pixels, in the system's sans-serif font.
#pragma once

#include <string>

#include "blurfield/base/image.h"

namespace blurfield::io {

// How much of each pixel a line of text (UTF-8, not empty) covers, 0..1: (1, 1, H, W), cut to the
// text at the left and right. Texts of one size, in pixels per em, share their height and baseline
// unless they hold unusually tall letters. Throws Error where the system has no font.
Image<float> text_picture(const std::string& text, int size, bool bold = false);

}  // namespace blurfield::io
