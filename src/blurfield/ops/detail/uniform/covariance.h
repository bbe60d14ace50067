// SPDX-License-Identifier: BSD-3-Clause
// A uniform blur of a full covariance to a tolerance. An image is blurred by variance A step^2 and
// thinned out (ladder.h), the level blurred by a sampled Gaussian of the covariance that is left,
// and pixels are read from that by taps of a little variance of their own, `reading`, which makes
// up for the coarse Gaussian's own replicas.
#pragma once

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/detail/term_sum.h"
#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/uniform/passes.h"

namespace blurfield::detail {

struct CovarianceLevel {
  Index step = 1;
  double reading = 0.0;  // in steps^2
  Cov coarse{};          // in steps^2
};

// The samples of an axis of n pixels: those that pixels read, and those that the coarse Gaussian
// reads for them.
struct CovarianceAxis {
  CovarianceAxis(Index n, const CovarianceLevel& level, const Ladder& ladder, int axis);
  int radius;  // of the coarse Gaussian
  Samples inner;
  Samples outer;
};

template <class T>
class UniformCovariance {
 public:
  // For images of height x width pixels. `along`, if not null: the derivative along this change of
  // the covariance, in pixels^2. The coarse kernel may lack `split` of its norm.
  UniformCovariance(std::array<Index, 2> frame, const Extension& extension, const Ladder& ladder,
                    const CovarianceLevel& level, const Cov* along, double factor, double split,
                    bool transposed);

  // As UniformProduct's.
  bool apply(const View<const T>& x, bool add, const View<T>& out,
             const Execution& execution) const;

 private:
  // The part of a level that pixels read.
  View<T> inner(View<T> level) const;

  std::vector<UniformBand<T>> down_;  // along y and x
  std::vector<UniformBand<T>> up_;
  std::vector<CovarianceAxis> axes_;
  TermSum coarse_;
  bool transposed_;
  double beyond_;
};

}  // namespace blurfield::detail
