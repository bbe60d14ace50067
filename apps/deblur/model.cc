// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/model.h"

#include <fmt/format.h>

#include "apps/deblur/psfs.h"
#include "blurfield/deblur/downsampled.h"
#include "blurfield/deblur/gaussian_operator.h"
#include "blurfield/deblur/psf_operator.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::app {

std::string DeblurRequest::blur_text() const {
  if (!psf.empty()) return "PSF " + psf;
  if (psf_grid.empty()) return gaussian.text();
  return fmt::format("{} x {} PSFs of {}, {}", cells[0], cells[1], psf_grid, order_name(order));
}

std::string DeblurRequest::border_text() const {
  return border.extend ? "extend" : std::string(mode_name(border.mode));
}

namespace {

// How accurate a Gaussian blur of images of this shape is to be.
template <class T>
Accuracy accuracy_of(const DeblurRequest& request, const KnownBlur<T>& blur, const io::Info& in,
                     const Shape& shape) {
  if (request.gaussian.tolerance) return {*request.gaussian.tolerance, "asked for"};
  AdaptiveBlurOptions options = reach_options(request.gaussian, request.common.threads);
  options.tolerance = hidden_tolerance(in, request.linear_light);
  const BlurReport plan = blur.field.empty() ? uniform_blur_plan<T>(shape, blur.gaussian, options)
                                             : adaptive_blur_plan<T>(shape, blur.field, options);
  return hidden_if_worthwhile(options.tolerance, in, plan);
}

}  // namespace

template <class T>
KnownBlur<T> load_blur(const DeblurRequest& request, const io::Info& in, const Shape& frame) {
  KnownBlur<T> blur;
  if (!request.psf.empty()) {
    blur.psf = load_psf(request.psf);
  } else if (!request.psf_grid.empty()) {
    blur.psfs = load_psf_grid(request.psf_grid, request.cells);
  } else if (request.gaussian.varies()) {
    io::Info out = in;
    if (request.upscale > 1) out.path = request.out;
    out.height *= request.upscale;
    out.width *= request.upscale;
    blur.field = load_field<T>(request.gaussian, out);
  } else {
    blur.gaussian = uniform_gaussian(request.gaussian);
  }
  if (blur.psf.empty() && blur.psfs.empty()) {
    const Index n = request.upscale;
    const Shape fine{frame[0], frame[1], n * frame[2], n * frame[3]};
    blur.accuracy = accuracy_of<T>(request, blur, in, fine);
  }
  return blur;
}

template <class T>
std::unique_ptr<BlurOperator<T>> fine_operator(const DeblurRequest& request,
                                               const KnownBlur<T>& blur, const Shape& frame,
                                               const Border& border) {
  AdaptiveBlurOptions reach = reach_options(request.gaussian, request.common.threads);
  reach.tolerance = blur.accuracy.tolerance;
  try {
    if (!blur.psf.empty()) return psf_operator<T>(frame, blur.psf, border);
    if (!blur.psfs.empty()) return psf_grid_operator<T>(frame, blur.psfs, request.order, border);
    if (!blur.field.empty()) return adaptive_operator<T>(frame, blur.field, border, reach);
    return gaussian_operator<T>(frame, blur.gaussian, border, reach);
  } catch (const Error& error) {
    const std::string& psfs = request.psf.empty() ? request.psf_grid : request.psf;
    const std::string& file = psfs.empty() ? request.gaussian.map() : psfs;
    throw Error(message(file.empty() ? request.in : file, ": ", error.what()));
  }
}

template <class T>
std::unique_ptr<BlurOperator<T>> frame_operator(const DeblurRequest& request,
                                                const KnownBlur<T>& blur, const Shape& frame) {
  const Index factor = request.upscale;
  const Shape fine{frame[0], frame[1], factor * frame[2], factor * frame[3]};
  auto made = fine_operator<T>(request, blur, fine, request.border);
  return factor > 1 ? downsampled<T>(std::move(made), factor) : std::move(made);
}

#define BLURFIELD_INSTANTIATE(T)                                                        \
  template KnownBlur<T> load_blur(const DeblurRequest&, const io::Info&, const Shape&); \
  template std::unique_ptr<BlurOperator<T>> fine_operator(                              \
      const DeblurRequest&, const KnownBlur<T>&, const Shape&, const Border&);          \
  template std::unique_ptr<BlurOperator<T>> frame_operator(const DeblurRequest&,        \
                                                           const KnownBlur<T>&, const Shape&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::app
