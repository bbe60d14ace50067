// SPDX-License-Identifier: BSD-3-Clause
#include "apps/estimate/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/estimate/unknown.h"
#include "apps/inputs.h"
#include "apps/pixels.h"
#include "apps/progress.h"

namespace blurfield::app {
namespace {

template <class T>
io::Picture<T> load_image(const EstimateRequest& request, const std::string& file) {
  io::Picture<T> picture = io::load_picture<T>(file);
  if (request.mask.empty()) {
    require_finite<T>(picture.pixels, file, "finite pixels (or --mask)");
  }
  if (request.linear_light) {
    require_encoded(picture.info);
    transform<T>(picture.pixels, colours_of(picture), srgb_decode);
  }
  throw_if_cancelled();
  return picture;
}

// Weights of all pages; empty if every pixel of both images is known.
template <class T>
Image<T> joint_mask(const EstimateRequest& request, const io::Picture<T>& sharp,
                    const io::Picture<T>& blurred) {
  const Image<T> given = load_mask<T>(request.mask, sharp.info);
  if (given.empty() && !sharp.alpha && !blurred.alpha) return {};
  constexpr double kOpaque = 0.999;  // of white
  Image<T> mask = page_weights(given, sharp.pixels.shape());
  leave_out_unknown<T>(sharp, kOpaque, mask);
  leave_out_unknown<T>(blurred, kOpaque, mask);
  if (count_pixels<T>(mask, [](T m) { return m > 0; }) == 0) {
    throw Error(
        fmt::format("{}, {}: expected pixels of weight > 0 that are finite and opaque in "
                    "both images, got none",
                    request.sharp, request.blurred));
  }
  return mask;
}

// Mean and standard deviation over the pixels of weight > 0.
struct Brightness {
  double mean = 0;
  double spread = 0;
};

template <class T>
Brightness brightness(const View<const T>& image, const View<const T>& mask) {
  double count = 0;
  double sum = 0;
  double squares = 0;
  for (Index n = 0; n < image.batch(); ++n) {
    for (Index c = 0; c < image.channels(); ++c) {
      for (Index y = 0; y < image.height(); ++y) {
        for (Index x = 0; x < image.width(); ++x) {
          if (!mask.empty() && !(mask.at(n, 0, y, x) > 0)) continue;
          const auto v = static_cast<double>(image.at(n, c, y, x));
          count += 1;
          sum += v;
          squares += v * v;
        }
      }
    }
  }
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

template <class T>
std::vector<std::string> doubts(const EstimateRequest& request, const ImagePair<T>& pair) {
  constexpr double kBrighter = 0.25;  // of the sharp image's standard deviation
  constexpr double kRounding = 0.01;  // of its mean
  if (std::equal(pair.sharp.data(), pair.sharp.data() + pair.sharp.elements(),
                 pair.blurred.data())) {
    return {fmt::format("{} and {} are identical: no blur to estimate", request.sharp,
                        request.blurred)};
  }
  const View<const T> mask = pair.mask.empty() ? View<const T>{} : pair.mask.view();
  const Brightness sharp = brightness<T>(pair.sharp, mask);
  const Brightness blurred = brightness<T>(pair.blurred, mask);
  const double least = std::max(kBrighter * sharp.spread, kRounding * std::abs(sharp.mean));
  if (std::abs(sharp.mean - blurred.mean) <= least) return {};
  return {
      fmt::format("{} is {:.4g} in the mean, {} is {:.4g}: a blur keeps brightness, and would "
                  "be estimated to explain what it cannot",
                  request.sharp, sharp.mean, request.blurred, blurred.mean)};
}

}  // namespace

template <class T>
ImagePair<T> load_pair(const EstimateRequest& request) {
  io::Picture<T> sharp = load_image<T>(request, request.sharp);
  io::Picture<T> blurred = load_image<T>(request, request.blurred);
  Shape sharp_shape = sharp.pixels.shape();
  Shape blurred_shape = blurred.pixels.shape();
  sharp_shape[1] = colours_of(sharp);
  blurred_shape[1] = colours_of(blurred);
  require_same_shape(sharp_shape, request.sharp, blurred_shape, request.blurred);

  ImagePair<T> pair{{}, {}, joint_mask(request, sharp, blurred), sharp.info, blurred.info, {}};
  const auto colours = [](const io::Picture<T>& picture) {
    return Image<T>(channels(picture.pixels.view(), 0, colours_of(picture)));
  };
  pair.sharp = colours(sharp);
  pair.blurred = colours(blurred);
  if (!pair.mask.empty()) {
    EstimateOptions options = request.options;
    options.blur.execution.threads = request.common.threads;
    options.blur.execution.progress = [](double) { return cancelling_signal() == 0; };
    fill_unknown<T>(pair.sharp, pair.mask, options.blur.execution);
    fill_unknown<T>(pair.blurred, pair.mask, options.blur.execution);
    lower_around_unknown<T>(pair.sharp, pair.blurred, options, pair.mask);
  }
  pair.warnings = doubts(request, pair);
  return pair;
}

template ImagePair<float> load_pair(const EstimateRequest&);
template ImagePair<double> load_pair(const EstimateRequest&);

}  // namespace blurfield::app
