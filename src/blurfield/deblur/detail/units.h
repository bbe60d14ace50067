// SPDX-License-Identifier: BSD-3-Clause
// Units of brightness to work in. Squares and cubes of float over- or underflow for images far
// darker or brighter than 1: the work is then done on x / unit, where unit is a power of two.
#pragma once

#include "blurfield/deblur/deblur.h"

namespace blurfield::detail {

template <class T>
class Units {
 public:
  // For pixels up to `largest`. `options` are complete but for lambda.
  Units(double largest, const DeblurOptions<T>& options);

  bool differ() const { return unit_ != 1; }
  // The same options for images in these units; their callback still gets steps in the old ones.
  DeblurOptions<T> options() const;
  void enter(Image<T>& image) const { scale(image, 1 / unit_); }
  double lambda(double here) const { return here / lambda_; }  // in the old units
  void leave(Deblurred<T>& result) const;

 private:
  static void scale(Image<T>& image, double factor);
  void leave(DeblurStep<T>& step) const;

  const DeblurOptions<T>& options_;
  double unit_ = 1.0;
  double lambda_ = 1.0;  // a weight of the prior, as a multiple of that in the old units
  double value_ = 1.0;   // a value in the old units, as a multiple of that in these
};

}  // namespace blurfield::detail
