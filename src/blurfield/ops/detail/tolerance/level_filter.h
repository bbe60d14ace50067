// SPDX-License-Identifier: BSD-3-Clause
// One axis of a level: from the n pixels of a frame to samples every `step` pixels.
#pragma once

#include <cmath>
#include <vector>

#include "blurfield/base/extension.h"
#include "blurfield/kernels/row_dots.h"
#include "blurfield/ops/detail/tolerance/ladder.h"

namespace blurfield::detail {

template <class T>
class LevelFilter {
 public:
  // Samples `beyond` the frame's first and last pixel are there too.
  LevelFilter(Index n, Mode mode, const Ladder& ladder, double step, Index beyond);

  Index pixels() const { return n_; }
  double step() const { return step_; }
  // Of an axis of n pixels, before its filter is made: its samples, pixels if the step is 1.
  static Index samples(Index n, double step, Index beyond) {
    return step == 1.0 ? n : frame_end(n, step) + 2 * beyond;
  }
  Index first() const { return first_; }  // the first sample
  Index count() const { return static_cast<Index>(rows_.size()); }
  Index end() const { return first_ + count(); }

  // Where sample m stands, in pixels. The pixels' cells are cut alike: sample 0's begins where
  // pixel 0's does.
  static double position(Index m, double step) {
    return step * static_cast<double>(m) + 0.5 * (step - 1.0);
  }

  // Sample m is the sum over pixels first, first + 1, ... of weights; border samples see the
  // extension folded onto the frame, beyond Mode::constant's frame stands 0.
  kernels::Window1d<T> row(Index m) const;

 private:
  // Beyond the last sample whose cell touches the frame.
  static Index frame_end(Index n, double step) {
    return static_cast<Index>(std::ceil(static_cast<double>(n) / step));
  }
  struct Place {
    Index first;
    Index count;
    std::size_t weights;
  };
  Index n_;
  double step_;
  Index first_;
  std::vector<Place> rows_;
  std::vector<T> weights_;
};

}  // namespace blurfield::detail
