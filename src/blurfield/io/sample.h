// SPDX-License-Identifier: BSD-3-Clause
// Sample types as C++ types, and pixels as samples. Inside io only.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "blurfield/io/picture.h"

namespace blurfield::io {

// Calls f with a zero of the C++ type of `sample`.
template <class F>
decltype(auto) with_sample(Sample sample, F&& f) {
  switch (sample) {
    case Sample::u8:
      return f(std::uint8_t{});
    case Sample::u16:
      return f(std::uint16_t{});
    case Sample::u32:
      return f(std::uint32_t{});
    case Sample::i8:
      return f(std::int8_t{});
    case Sample::i16:
      return f(std::int16_t{});
    case Sample::i32:
      return f(std::int32_t{});
    case Sample::f32:
      return f(float{});
    case Sample::f64:
      break;
  }
  return f(double{});
}

// value * scale, rounded and clipped to an integer S, NaN to 0; a float S takes value as it is.
template <class S, class T>
S to_sample(T value, double scale) {
  if constexpr (std::is_floating_point_v<S>) {
    return static_cast<S>(value);
  } else {
    constexpr double low = std::numeric_limits<S>::lowest();
    constexpr double high = std::numeric_limits<S>::max();
    const double scaled = std::floor(static_cast<double>(value) * scale + 0.5);
    if (scaled != scaled) return S{0};
    return scaled <= low    ? std::numeric_limits<S>::lowest()
           : scaled >= high ? std::numeric_limits<S>::max()
                            : static_cast<S>(scaled);
  }
}

// The format to write, by the extension; a device without one, e.g. /dev/stdout, takes PNG, or
// TIFF for samples that PNG cannot hold. Throws Error for an unknown one.
std::string format_to_save(const std::string& path, Sample sample);

// The factor of to_sample for pixels that save() was given.
double save_scale(const std::string& format, const SaveOptions& options);

// How a loader is to read a file; `memory` is the limit in bytes.
struct LoadOptions {
  bool map = false;
  bool normalise = false;  // maps only: integers are divided by sample_max
  double memory = 0;
};

// What the integer samples of a file are divided by on loading.
inline double load_divisor(const Info& info, const LoadOptions& options) {
  const bool raw = options.map ? !options.normalise : info.physical;
  return raw ? 1.0 : sample_max(info.sample);
}

// The pixels of a loaded file: (pages, bands, H, W); pages count as channels in a map.
inline Shape loaded_shape(const Info& info, Index bands, const LoadOptions& options) {
  if (options.map) return {1, info.pages * bands, info.height, info.width};
  return {info.pages, bands, info.height, info.width};
}

}  // namespace blurfield::io
