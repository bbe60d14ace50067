// SPDX-License-Identifier: BSD-3-Clause
// Checks of an adaptive blur's image and field, a row at a time. Each throws Error in the
// operation's name, with the first offending pixel.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::detail {

// A field of 1..3 channels for an image of this shape, of finite values, sigmas > 0.
template <class T>
void check_field(const char* operation, const View<const T>& field, const Shape& image,
                 int threads);

// Pixels must be finite, and sums over a kernel, not yet divided by its norm, stay within T.
template <class T>
void check_pixels(const char* operation, const View<const T>& x, int threads);

}  // namespace blurfield::detail
