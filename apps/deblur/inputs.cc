// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/inputs.h"

#include <algorithm>
#include <cmath>

#include "apps/inputs.h"
#include "apps/pixels.h"

namespace blurfield::app {
namespace {

template <class T>
void leave_out_saturated(const io::Picture<T>& picture, const View<T>& weight) {
  const View<const T> pixels = picture.pixels;
  const Index colours = colours_of(picture);
  for (Index n = 0; n < pixels.batch(); ++n) {
    for (Index y = 0; y < pixels.height(); ++y) {
      for (Index x = 0; x < pixels.width(); ++x) {
        for (Index c = 0; c < colours; ++c) {
          if (static_cast<double>(pixels.at(n, c, y, x)) >= picture.info.white) {
            weight.at(n, 0, y, x) = 0;
          }
        }
      }
    }
  }
}

template <class T>
Image<T> load_weight(const DeblurRequest& request, const io::Picture<T>& picture) {
  const Image<T> mask = load_mask<T>(request.mask, picture.info);
  if (request.mask_saturated && io::is_float(picture.info.sample)) {
    throw Error(message(request.in, ": --mask-saturated expects integer samples, got ",
                        io::sample_name(picture.info.sample), ", which have no largest value"));
  }
  constexpr double kTransparent = 1e-6;  // alpha below this fraction of white
  Image<T> weight = page_weights(mask, picture.pixels.shape());
  leave_out_unknown<T>(picture, kTransparent, weight);
  if (request.mask_saturated) leave_out_saturated<T>(picture, weight);
  const bool alike =
      std::all_of(weight.data(), weight.data() + weight.elements(), [](T w) { return w == T{1}; });
  return alike ? Image<T>() : std::move(weight);
}

}  // namespace

template <class T>
Frame<T> load_frame(const DeblurRequest& request) {
  Frame<T> frame;
  frame.picture = io::load_picture<T>(request.in);
  if (request.linear_light) require_encoded(frame.picture.info);
  frame.weight = load_weight<T>(request, frame.picture);
  if (!frame.weight.empty()) {
    frame.left_out = count_pixels<T>(frame.weight, [](T w) { return !(w > 0); });
    if (frame.left_out == frame.weight.elements()) {
      throw Error(message(request.in, ": expected pixels that count, got none of the ",
                          frame.left_out, ": all are masked, not finite or transparent"));
    }
  }
  frame.y = Image<T>(channels(frame.picture.pixels.view(), 0, colours_of(frame.picture)));
  std::replace_if(
      frame.y.data(), frame.y.data() + frame.y.elements(), [](T v) { return !std::isfinite(v); },
      T{0});
  if (request.linear_light) transform<T>(frame.y, frame.y.shape()[1], srgb_decode);
  return frame;
}

Image<double> load_reference(const DeblurRequest& request, const Shape& out) {
  if (request.reference.empty()) return {};
  const io::Picture<double> picture = io::load_picture<double>(request.reference);
  Shape shape = picture.pixels.shape();
  shape[1] = colours_of(picture);
  require_same_shape(out, request.upscale > 1 ? request.out : request.in, shape, request.reference);
  Image<double> reference(channels(picture.pixels.view(), 0, shape[1]));
  require_finite<double>(reference, request.reference);
  return reference;
}

template <class T>
void encode(const DeblurRequest& request, const View<T>& image) {
  if (request.linear_light) transform<T>(image, image.channels(), srgb_encode);
}

template <class T>
Image<T> enlarged(const View<const T>& image, Index factor) {
  Image<T> large(
      {image.batch(), image.channels(), factor * image.height(), factor * image.width()});
  const View<T> to = large;
  for (Index n = 0; n < to.batch(); ++n) {
    for (Index c = 0; c < to.channels(); ++c) {
      for (Index y = 0; y < to.height(); ++y) {
        for (Index x = 0; x < to.width(); ++x) {
          to.at(n, c, y, x) = image.at(n, c, y / factor, x / factor);
        }
      }
    }
  }
  return large;
}

#define BLURFIELD_INSTANTIATE(T)                              \
  template Frame<T> load_frame(const DeblurRequest&);         \
  template void encode(const DeblurRequest&, const View<T>&); \
  template Image<T> enlarged(const View<const T>&, Index);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::app
