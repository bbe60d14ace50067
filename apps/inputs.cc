// SPDX-License-Identifier: BSD-3-Clause
#include "apps/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "apps/pixels.h"
#include "apps/text_file.h"

namespace blurfield::app {
namespace {

// What to add to --bit-depth so that a format can hold it; empty if it holds `sample` already.
std::string bit_depths(const std::string& path, io::Sample sample) {
  const bool eight = sample == io::Sample::u8;
  const bool png = has_extension(path, {".png"});
  if (png && !eight && sample != io::Sample::u16) return "8 or 16";
  return holds_integers_only(path) && !png && !eight ? "8" : "";
}

}  // namespace

io::SaveOptions prepare_saving(const std::string& out, const std::string& bit_depth, bool force,
                               const io::Info& in) {
  io::SaveOptions saving;
  saving.sample = bit_depth == "8"     ? io::Sample::u8
                  : bit_depth == "16"  ? io::Sample::u16
                  : bit_depth == "32f" ? io::Sample::f32
                                       : in.sample;
  saving.alpha = in.alpha;
  saving.overwrite = force;
  const std::string depths = bit_depth.empty() ? bit_depths(out, in.sample) : "";
  if (!depths.empty()) {
    throw Error(message(out, ": this format cannot hold the input's ", io::sample_name(in.sample),
                        " samples: add --bit-depth ", depths));
  }
  require_new(out, force);
  const Index channels = in.colour_space == "cmyk" ? in.channels - 1 : in.channels;
  io::check_can_save(out, saving, channels, in.pages);
  return saving;
}

bool needs_double(io::Sample sample) {
  return sample == io::Sample::f64 || sample == io::Sample::u32 || sample == io::Sample::i32;
}

template <class T>
void reject(const View<const T>& image, const std::string& file, const char* expected,
            const std::function<bool(T)>& bad, const Part& part) {
  if (const auto place = find_pixel<T>(image, bad)) {
    const Place whole{place->n + part.page, place->c, place->y + part.y, place->x};
    throw Error(fmt::format("{}: expected {}, got {} at {}", file, expected,
                            image.at(place->n, place->c, place->y, place->x),
                            whole.text(part.whole.rank() > 0 ? part.whole : image.shape)));
  }
}

template <class T>
void require_finite(const View<const T>& image, const std::string& file, const char* expected,
                    const Part& part) {
  reject<T>(
      image, file, expected, [](T v) { return !std::isfinite(v); }, part);
}

void require_size(const Shape& map, const std::string& file, const io::Info& in) {
  if (map[2] == in.height && map[3] == in.width) return;
  throw Error(fmt::format("{}: expected {} x {} pixels (height x width) as in {}, got {} x {}",
                          file, in.height, in.width, in.path, map[2], map[3]));
}

void require_same_shape(const Shape& expected, const std::string& expected_file, const Shape& shape,
                        const std::string& file) {
  if (shape == expected) return;
  const auto size = [](const Shape& s) {
    return message(s[2], " x ", s[3], ", ", s[1], " channel(s), ", s[0], " page(s)");
  };
  throw Error(message(file, ": expected the size of ", expected_file, ", ", size(expected),
                      "; got ", size(shape)));
}

void require_mask(const Shape& mask, const std::string& file, const io::Info& in) {
  if (mask[1] != 1) {
    throw Error(message(file, ": expected a mask of 1 channel, got ", mask[1]));
  }
  require_size(mask, file, in);
}

template <class T>
void require_weights(const View<const T>& mask, const std::string& file, const Part& part) {
  reject<T>(
      mask, file, "weights >= 0 and finite", [](T v) { return !(v >= 0 && std::isfinite(v)); },
      part);
}

template <class T>
Image<T> load_mask(const std::string& file, const io::Info& in) {
  if (file.empty()) return {};
  io::Picture<T> mask = io::load_map<T>(file, true);
  require_mask(mask.pixels.shape(), file, in);
  require_weights<T>(mask.pixels, file);
  return std::move(mask.pixels);
}

template <class T>
Image<T> page_weights(const Image<T>& mask, const Shape& image) {
  Image<T> weights({image[0], 1, image[2], image[3]});
  for (Index n = 0; n < image[0]; ++n) {
    T* page = weights.view().row(n, 0, 0);
    if (mask.empty()) {
      std::fill_n(page, image[2] * image[3], T{1});
    } else {
      std::copy_n(mask.data(), mask.elements(), page);
    }
  }
  return weights;
}

template <class T>
void leave_out_unknown(const io::Picture<T>& picture, double least_alpha, const View<T>& weights) {
  const View<const T> pixels = picture.pixels;
  const Index colours = colours_of(picture);
  const auto opaque = static_cast<T>(least_alpha * picture.info.white);
  for (Index n = 0; n < pixels.batch(); ++n) {
    for (Index y = 0; y < pixels.height(); ++y) {
      for (Index x = 0; x < pixels.width(); ++x) {
        bool known = !picture.alpha || pixels.at(n, colours, y, x) >= opaque;
        for (Index c = 0; c < colours; ++c) known = known && std::isfinite(pixels.at(n, c, y, x));
        if (!known) weights.at(n, 0, y, x) = 0;
      }
    }
  }
}

double rounding_noise(const io::Info& info) {
  if (io::is_float(info.sample)) return 0;
  return (info.physical ? 1 : 1 / io::sample_max(info.sample)) / std::sqrt(12.0);
}

bool has_extension(const std::string& path, std::initializer_list<const char*> extensions) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

bool holds_integers_only(const std::string& path) {
  return has_extension(path, {".png", ".jpg", ".jpeg", ".webp"});
}

void require_encoded(const io::Info& in) {
  if (!io::is_float(in.sample) && !in.physical) return;
  throw Error(message(in.path, ": --linear-light expects integer samples in sRGB, got ",
                      in.physical ? "physical values" : io::sample_name(in.sample),
                      ", which are taken to be linear already"));
}

#define BLURFIELD_INSTANTIATE(T)                                                        \
  template void reject(const View<const T>&, const std::string&, const char*,           \
                       const std::function<bool(T)>&, const Part&);                     \
  template void require_finite(const View<const T>&, const std::string&, const char*,   \
                               const Part&);                                            \
  template void require_weights(const View<const T>&, const std::string&, const Part&); \
  template Image<T> load_mask(const std::string&, const io::Info&);                     \
  template Image<T> page_weights(const Image<T>&, const Shape&);                        \
  template void leave_out_unknown(const io::Picture<T>&, double, const View<T>&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::app
