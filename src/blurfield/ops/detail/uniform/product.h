// SPDX-License-Identifier: BSD-3-Clause
// A uniform separable blur to a tolerance: along each axis nothing, a band of its own taps, or a
// band that thins the axis out to samples of a level (ladder.h) and one that reads pixels from
// them.
#pragma once

#include <array>
#include <vector>

#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/uniform/passes.h"

namespace blurfield::detail {

// What an axis of n pixels does, step > 1: a level of that step; 1: its own taps; 0: nothing.
struct AxisBlur {
  Index n = 1;
  double sigma = 0.0;
  Index step = 0;
  double reach = 0.0;  // sigmas of the own taps
};

// The samples of an axis of step > 1, and the width of the taps that read them, in steps.
double reading_width(const AxisBlur& axis, const Ladder& ladder);
Samples samples_of(const AxisBlur& axis, const Ladder& ladder);

// The bands of an axis in the order of their use; of its derivative by sigma, all but the last
// held.
std::vector<SparseRows> axis_rows(const AxisBlur& axis, Mode mode, const Ladder& ladder,
                                  bool derivative);

template <class T>
class UniformProduct {
 public:
  // `y` and `x` as axis_rows makes them, not both empty, nor one band along y alone; `beyond`
  // stands around the frame.
  UniformProduct(std::vector<SparseRows> y, std::vector<SparseRows> x, double factor,
                 bool transposed, double beyond);

  // out = product (x), or +=, of images (N, C, H, W) packed along x. Returns whether what shows
  // every pixel that is not finite is finite.
  bool apply(const View<const T>& x, bool add, const View<T>& out,
             const Execution& execution) const;

 private:
  std::vector<UniformBand<T>> y_;
  std::vector<UniformBand<T>> x_;
  double beyond_;
};

}  // namespace blurfield::detail
