// SPDX-License-Identifier: BSD-3-Clause
// The blur of a request: its files, and the operator that they make.
#pragma once

#include <memory>
#include <vector>

#include "apps/deblur/request.h"

namespace blurfield::app {

// One of these four.
template <class T>
struct KnownBlur {
  Image<double> psf;             // (H, W)
  Image<double> psfs;            // (ny, nx, H, W)
  std::vector<double> gaussian;  // as gaussian_operator takes it
  Image<T> field;                // (1, 1 | 2 | 3, H, W), of OUT's size
  Accuracy accuracy;             // of a Gaussian
};

// For an image of IN's file and of `frame`'s shape.
template <class T>
KnownBlur<T> load_blur(const DeblurRequest& request, const io::Info& in, const Shape& frame);

// The blur for frames of this shape, at OUT's pixels. Errors name the blur's file.
template <class T>
std::unique_ptr<BlurOperator<T>> fine_operator(const DeblurRequest& request,
                                               const KnownBlur<T>& blur, const Shape& frame,
                                               const Border& border);

// The same with IN's pixels, larger by --upscale, for a frame of IN's shape.
template <class T>
std::unique_ptr<BlurOperator<T>> frame_operator(const DeblurRequest& request,
                                                const KnownBlur<T>& blur, const Shape& frame);

}  // namespace blurfield::app
