// SPDX-License-Identifier: BSD-3-Clause
// Checks that commands make of their files before the work; errors name the file.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>

#include "apps/pixels.h"
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
            const std::function<bool(T)>& bad, const Part& part = {});

template <class T>
void require_finite(const View<const T>& image, const std::string& file,
                    const char* expected = "finite pixels", const Part& part = {});

// Throws Error unless a map of this shape has the height and width of the image.
void require_size(const Shape& map, const std::string& file, const io::Info& in);

// Throws Error, naming both files and sizes, unless shapes (N, C, H, W) are equal.
void require_same_shape(const Shape& expected, const std::string& expected_file, const Shape& shape,
                        const std::string& file);

// Throws Error unless a file's shape, and its weights, are those of a mask for the image.
void require_mask(const Shape& mask, const std::string& file, const io::Info& in);
template <class T>
void require_weights(const View<const T>& mask, const std::string& file, const Part& part = {});

// A mask (1, 1, H, W) for the image, finite and >= 0; empty for an empty name.
template <class T>
Image<T> load_mask(const std::string& file, const io::Info& in);

// A picture's channels without alpha.
template <class T>
Index colours_of(const io::Picture<T>& picture) {
  return picture.pixels.shape()[1] - (picture.alpha ? 1 : 0);
}

// Weights (N, 1, H, W) for every page of an image (N, C, H, W): the mask's, or 1 where it is empty.
template <class T>
Image<T> page_weights(const Image<T>& mask, const Shape& image);

// Sets the weight to 0 where a pixel is not finite, or its alpha below this fraction of white.
template <class T>
void leave_out_unknown(const io::Picture<T>& picture, double least_alpha, const View<T>& weights);

// Standard deviation of what rounding to the samples' integers adds, on the scale of the pixels; 0
// for float samples.
double rounding_noise(const io::Info& info);

// Whether a name ends so, in lower or upper case: {".png", ".jpg"}.
bool has_extension(const std::string& path, std::initializer_list<const char*> extensions);
// Whether the format of that name holds no float samples.
bool holds_integers_only(const std::string& path);

// Throws Error unless the samples are integers that --linear-light can take for sRGB.
void require_encoded(const io::Info& in);

}  // namespace blurfield::app
