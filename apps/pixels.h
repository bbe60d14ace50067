// SPDX-License-Identifier: BSD-3-Clause
// What the command line does to pixels before and after a blur. Images are (N, C, H, W).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "blurfield/base/image.h"

namespace blurfield::app {

// Where a pixel stands; text() names page and channel only where there are several.
struct Place {
  Index n, c, y, x;
  std::string text(const Shape& shape) const;  // "(y, x) = (3, 5), channel 2"
};

// Where the rows of an image begin that a view shows a part of.
struct Part {
  Index page = 0;
  Index y = 0;
  Shape whole;  // (pages, C, H, W); empty: the view is the whole image
};

// The first pixel, in (y, x) order within its page and then channel, for which `bad` holds.
template <class T>
std::optional<Place> find_pixel(const View<const T>& image, const std::function<bool(T)>& bad);

// Channels first .. first + count - 1.
template <class T>
View<T> channels(const View<T>& image, Index first, Index count) {
  View<T> part = image;
  part.data += first * image.stride[1];
  part.shape[1] = count;
  return part;
}

template <class T>
Index count_pixels(const View<const T>& image, const std::function<bool(T)>& counts);

// sRGB's transfer function (IEC 61966-2-1): encoded to linear light and back, each 0..1 to 0..1.
double srgb_decode(double encoded);
double srgb_encode(double linear);

// Applies `f` to channels 0..channels-1.
template <class T>
void transform(const View<T>& image, Index channels, const std::function<double(double)>& f);

// The last channel is alpha: multiplies the others by it, or divides (0 where alpha is 0).
template <class T>
void premultiply(const View<T>& image);
template <class T>
void unpremultiply(const View<T>& image);

// (N, C + 1, H, W): every channel of x times its weight, and the weight m as the last channel.
// `mask` (N | 1, 1, H, W) gives m; a pixel with a non-finite channel has weight 0.
template <class T>
Image<T> weigh(const View<const T>& x, const View<const T>& mask);

// The inverse after blurring: each channel divided by the last. Where that is no more than `least`,
// `otherwise`. `out` may be the first channels of `weighed`.
template <class T>
void divide_by_weight(const View<const T>& weighed, const View<const T>& otherwise, double least,
                      const View<T>& out);

}  // namespace blurfield::app
