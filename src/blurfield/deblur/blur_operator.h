// SPDX-License-Identifier: BSD-3-Clause
// A blur as deblurring sees it: a linear operator A from the scene to the frame that was recorded,
// y = A x. Both are (N, C, H, W), and all channels share the blur. Kinds: psf_operator.h,
// gaussian_operator.h, psf_grid.h, downsampled.h.
#pragma once

#include <array>

#include "blurfield/base/extension.h"
#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"

namespace blurfield {

// What the blur reaches for beyond the frame.
struct Border {
  // The scene itself, unknown there: it is the frame and a margin of the blur's radius all around.
  bool extend = true;
  Mode mode = Mode::reflect;  // otherwise; constant is 0, so that the blur is linear
};

template <class T>
class BlurOperator {
 public:
  virtual ~BlurOperator() = default;
  BlurOperator(const BlurOperator&) = delete;
  BlurOperator& operator=(const BlurOperator&) = delete;

  const Shape& scene() const { return scene_; }  // with the margin
  const Shape& frame() const { return frame_; }
  // Rows and columns of the scene on each side of what the frame shows.
  const std::array<Index, 2>& margin() const { return margin_; }
  // The part of a scene that the frame shows.
  template <class U>
  View<U> visible(View<U> scene) const {
    scene.data += margin_[0] * scene.y_stride() + margin_[1] * scene.x_stride();
    scene.shape[2] -= 2 * margin_[0];
    scene.shape[3] -= 2 * margin_[1];
    return scene;
  }

  // frame = A scene, and scene = A^T frame, exact adjoints of each other, border included. Throw
  // Error for other shapes than these and for pixels that are not finite.
  virtual void forward(const View<const T>& scene, const View<T>& frame,
                       const Execution& execution = {}) const = 0;
  virtual void adjoint(const View<const T>& frame, const View<T>& scene,
                       const Execution& execution = {}) const = 0;
  virtual double multiply_adds() const = 0;  // of one forward
  // No less than the largest singular value of A: sqrt(|A|_1 |A|_inf), found from A's row and
  // column sums (of absolute values, where the blur has negative ones).
  virtual double norm_bound(const Execution& execution = {}) const;
  // The point-spread function (H, W), odd sizes, centred, where the blur is the same everywhere.
  virtual const Image<double>* psf() const { return nullptr; }
  const Border& border() const { return border_; }

 protected:
  BlurOperator(const Shape& frame, const std::array<Index, 2>& margin, const Border& border,
               Index factor = 1);  // scene pixels per frame pixel, along each axis
  // Throws Error in the operation's name for other shapes than scene() and frame().
  void check(const char* operation, const Shape& scene, const Shape& frame) const;

 private:
  Shape frame_;
  Shape scene_;
  std::array<Index, 2> margin_;
  Border border_;
};

}  // namespace blurfield
