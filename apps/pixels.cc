// SPDX-License-Identifier: BSD-3-Clause
#include "apps/pixels.h"

#include <cmath>

namespace blurfield::app {
namespace {

// Calls body(n, c, y, x) for every pixel of a shape, rows innermost but for x.
template <class Body>
void for_each(const Shape& shape, Index channels, const Body& body) {
  for (Index n = 0; n < shape[0]; ++n) {
    for (Index c = 0; c < channels; ++c) {
      for (Index y = 0; y < shape[2]; ++y) {
        for (Index x = 0; x < shape[3]; ++x) body(n, c, y, x);
      }
    }
  }
}

}  // namespace

std::string Place::text(const Shape& shape) const {
  std::string text = message("(y, x) = (", y, ", ", x, ")");
  if (shape[1] > 1) text += message(", channel ", c);
  if (shape[0] > 1) text += message(", page ", n);
  return text;
}

template <class T>
std::optional<Place> find_pixel(const View<const T>& image, const std::function<bool(T)>& bad) {
  for (Index n = 0; n < image.batch(); ++n) {
    for (Index y = 0; y < image.height(); ++y) {
      for (Index x = 0; x < image.width(); ++x) {
        for (Index c = 0; c < image.channels(); ++c) {
          if (bad(image.at(n, c, y, x))) return Place{n, c, y, x};
        }
      }
    }
  }
  return std::nullopt;
}

template <class T>
Index count_pixels(const View<const T>& image, const std::function<bool(T)>& counts) {
  Index count = 0;
  for_each(image.shape, image.channels(), [&](Index n, Index c, Index y, Index x) {
    count += counts(image.at(n, c, y, x)) ? 1 : 0;
  });
  return count;
}

double srgb_decode(double encoded) {
  return encoded <= 0.04045 ? encoded / 12.92 : std::pow((encoded + 0.055) / 1.055, 2.4);
}

double srgb_encode(double linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}

template <class T>
void transform(const View<T>& image, Index channels, const std::function<double(double)>& f) {
  for_each(image.shape, channels, [&](Index n, Index c, Index y, Index x) {
    T& value = image.at(n, c, y, x);
    value = static_cast<T>(f(static_cast<double>(value)));
  });
}

template <class T>
void premultiply(const View<T>& image) {
  const Index last = image.channels() - 1;
  for_each(image.shape, last, [&](Index n, Index c, Index y, Index x) {
    image.at(n, c, y, x) *= image.at(n, last, y, x);
  });
}

template <class T>
void unpremultiply(const View<T>& image) {
  const Index last = image.channels() - 1;
  for_each(image.shape, last, [&](Index n, Index c, Index y, Index x) {
    const T alpha = image.at(n, last, y, x);
    T& value = image.at(n, c, y, x);
    value = alpha > 0 ? value / alpha : T{0};
  });
}

template <class T>
Image<T> weigh(const View<const T>& x, const View<const T>& mask) {
  const Index channels = x.channels();
  Image<T> weighed({x.batch(), channels + 1, x.height(), x.width()});
  const View<T> out = weighed.view();
  for_each(x.shape, 1, [&](Index n, Index, Index row, Index column) {
    T weight = mask.at(mask.batch() > 1 ? n : 0, 0, row, column);
    for (Index c = 0; c < channels; ++c) {
      if (!std::isfinite(x.at(n, c, row, column))) weight = 0;
    }
    out.at(n, channels, row, column) = weight;
    if (weight == 0) return;  // 0 * NaN is not 0
    for (Index c = 0; c < channels; ++c) {
      out.at(n, c, row, column) = weight * x.at(n, c, row, column);
    }
  });
  return weighed;
}

template <class T>
void divide_by_weight(const View<const T>& weighed, const View<const T>& otherwise, double least,
                      const View<T>& out) {
  const Index last = weighed.channels() - 1;
  for_each(out.shape, last, [&](Index n, Index c, Index y, Index x) {
    const T weight = weighed.at(n, last, y, x);
    out.at(n, c, y, x) = static_cast<double>(weight) > least ? weighed.at(n, c, y, x) / weight
                                                             : otherwise.at(n, c, y, x);
  });
}

#define BLURFIELD_INSTANTIATE(T)                                                                 \
  template std::optional<Place> find_pixel(const View<const T>&, const std::function<bool(T)>&); \
  template Index count_pixels(const View<const T>&, const std::function<bool(T)>&);              \
  template void transform(const View<T>&, Index, const std::function<double(double)>&);          \
  template void premultiply(const View<T>&);                                                     \
  template void unpremultiply(const View<T>&);                                                   \
  template Image<T> weigh(const View<const T>&, const View<const T>&);                           \
  template void divide_by_weight(const View<const T>&, const View<const T>&, double,             \
                                 const View<T>&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::app
