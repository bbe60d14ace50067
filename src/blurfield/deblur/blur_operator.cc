// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/blur_operator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "blurfield/base/check.h"

namespace blurfield {
namespace {

template <class T>
double largest(const Image<T>& image) {
  return static_cast<double>(*std::max_element(image.data(), image.data() + image.elements()));
}

template <class T>
Image<T> ones(const Shape& shape) {
  Image<T> image = Image<T>::uninitialised(shape);
  std::fill_n(image.data(), image.elements(), T{1});
  return image;
}

}  // namespace

template <class T>
BlurOperator<T>::BlurOperator(const Shape& frame, const std::array<Index, 2>& margin,
                              const Border& border, Index factor)
    : frame_(frame), scene_(frame), margin_(margin), border_(border) {
  require(frame.rank() == 4, "BlurOperator", "expected a frame (N, C, H, W), got shape ",
          frame.text());
  for (int axis = 0; axis < 4; ++axis) {
    require(frame[axis] >= 1, "BlurOperator", "expected a frame with extents >= 1, got shape ",
            frame.text());
  }
  for (int axis = 0; axis < 2; ++axis) {
    scene_[2 + axis] = frame[2 + axis] * factor + 2 * margin[static_cast<std::size_t>(axis)];
  }
}

template <class T>
double BlurOperator<T>::norm_bound(const Execution& execution) const {
  Image<T> scene = ones<T>(scene_);
  Image<T> frame = Image<T>::uninitialised(frame_);
  forward(scene, frame, execution);
  const double rows = largest(frame);
  std::fill_n(frame.data(), frame.elements(), T{1});
  adjoint(frame, scene, execution);
  // The sums themselves are rounded.
  const double slack = 1.0 + 64.0 * static_cast<double>(std::numeric_limits<T>::epsilon());
  return slack * std::sqrt(rows * largest(scene));
}

template <class T>
void BlurOperator<T>::check(const char* operation, const Shape& scene, const Shape& frame) const {
  detail::check_same_shape(operation, "the scene", scene, scene_);
  detail::check_same_shape(operation, "the frame", frame, frame_);
}

template class BlurOperator<float>;
template class BlurOperator<double>;

}  // namespace blurfield
