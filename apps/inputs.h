// SPDX-License-Identifier: BSD-3-Clause
// Checks that commands make of their files before the work; errors name the file.
#pragma once

#include <functional>
#include <string>

#include "blurfield/io/picture.h"

namespace blurfield::app {

// How to save what an operation makes of IN: with the sample type of `bit_depth` ("8", "16",
// "32f"), or of the input where it is empty. Throws the Error that saving would throw, before the
// work is done: an existing file without `force`, a format that needs --bit-depth, a missing
// folder.
io::SaveOptions prepare_saving(const std::string& out, const std::string& bit_depth, bool force,
                               const io::Info& in);

// Whether float would lose some of these samples' digits.
bool needs_double(io::Sample sample);

// Throws Error at the first pixel for which `bad` holds: "expected ..., got ... at ...".
template <class T>
void reject(const View<const T>& image, const std::string& file, const char* expected,
            const std::function<bool(T)>& bad);

template <class T>
void require_finite(const View<const T>& image, const std::string& file,
                    const char* expected = "finite pixels");

// Throws Error unless a map has the height and width of the image.
template <class T>
void require_size(const View<const T>& map, const std::string& file, const io::Info& in);

// Throws Error, naming both files and sizes, unless shapes (N, C, H, W) are equal.
void require_same_shape(const Shape& expected, const std::string& expected_file, const Shape& shape,
                        const std::string& file);

// A mask (1, 1, H, W) for the image, finite and >= 0; empty for an empty name.
template <class T>
Image<T> load_mask(const std::string& file, const io::Info& in);

// Throws Error unless the samples are integers that --linear-light can take for sRGB.
void require_encoded(const io::Info& in);

}  // namespace blurfield::app
