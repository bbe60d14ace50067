// SPDX-License-Identifier: BSD-3-Clause
// Loads what a deblurring works on and judges itself by; errors name their file.
#pragma once

#include "apps/deblur/request.h"
#include "blurfield/io/picture.h"

namespace blurfield::app {

template <class T>
struct Frame {
  io::Picture<T> picture;  // IN as it is
  Image<T> y;              // (N, C, H, W): without alpha, in linear light if asked for
  // (N, 1, H, W), 0 where a pixel counts for nothing: outside the mask, not finite, transparent,
  // or saturated if asked for. Empty: all count alike.
  Image<T> weight;
  Index left_out = 0;  // pixels of weight 0
};

template <class T>
Frame<T> load_frame(const DeblurRequest& request);

// The reference (N, C, H, W) without alpha and as it is encoded; throws Error unless it has the
// shape of `out`.
Image<double> load_reference(const DeblurRequest& request, const Shape& out);

// In place: from the light that was worked on to the encoding of the image.
template <class T>
void encode(const DeblurRequest& request, const View<T>& image);

// Every pixel as factor x factor of them.
template <class T>
Image<T> enlarged(const View<const T>& image, Index factor);

}  // namespace blurfield::app
