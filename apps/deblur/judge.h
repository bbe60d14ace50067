// SPDX-License-Identifier: BSD-3-Clause
// How near the work comes to the sharp image it should find.
#pragma once

#include <optional>

#include "apps/deblur/request.h"
#include "apps/quality.h"
#include "apps/stopwatch.h"

namespace blurfield::app {

class Judge {
 public:
  // `reference`, as load_reference gives it, must outlive this; images are clipped to 0..1 before
  // they are compared if `clipped`. `white` is the largest pixel of integer images; 0 for float
  // ones, whose range is 1 where the reference lies within 0..1, else the reference's own.
  Judge(const DeblurRequest& request, const View<const double>& reference, bool clipped,
        double white);

  double data_range() const { return data_range_; }
  // Of an image as it was worked on. SSIM is there too if `all`, or if all that was spent on it,
  // and this, is less than a third of the time since birth.
  template <class T>
  Quality quality(const View<const T>& image, bool all);

 private:
  const DeblurRequest& request_;
  View<const double> reference_;
  bool clipped_;
  double data_range_;
  Stopwatch since_birth_;
  double spent_ = 0;  // seconds on SSIM
  double last_ = 0;   // on the last one
};

}  // namespace blurfield::app
