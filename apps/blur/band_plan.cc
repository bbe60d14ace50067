// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/band_plan.h"

#include <algorithm>
#include <cmath>

#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield::app {
namespace {

Index rounded_up(Index rows, Index grid) { return (rows + grid - 1) / grid * grid; }

// Rows that a kernel reaches. With a tolerance, taps on a level and the filter that made the level:
// tails of the tolerance's order on both sides of two widths whose squares add up to sigma's.
template <class T>
Index reach_of(double sigma, const BlurOptions& options) {
  if (options.tolerance > 0) {
    const double tail = std::sqrt(2 * std::log(80 / std::min(options.tolerance, 0.1)));
    return static_cast<Index>(std::ceil((std::sqrt(2.0) * tail + 1) * sigma)) + 1;
  }
  const double most = sizeof(T) == 4 ? 13.5 : 38.0;  // sigmas, where weights vanish
  if (!options.radius.empty()) {
    return static_cast<Index>(
        std::min<double>(options.radius.front(), std::ceil(most * sigma) + 1));
  }
  return gaussian_radius(sigma, std::min(options.truncate.value_or(kDefaultTruncate), most));
}

// Levels have steps of 2^i and 1.5 * 2^i pixels, up to about sigma.
Index grid_of(double sigma, double tolerance) {
  Index grid = 2 * kTile;  // for steps up to 96
  for (double step = 128; tolerance > 0 && step <= 1.1 * sigma; step *= 2) grid *= 2;
  return grid;
}

}  // namespace

template <class T>
BandPlan BandPlan::of(Index height, double sigma, const BlurOptions& options) {
  BandPlan plan;
  plan.height_ = height;
  plan.wrap_ = options.extension.mode == Mode::wrap;
  plan.grid_ = grid_of(sigma, options.tolerance);
  const Index reach = sigma > 0 ? reach_of<T>(sigma, options) : 0;
  plan.above_ = rounded_up(reach, plan.grid_);
  plan.below_ = rounded_up(reach, kTile);
  plan.core_ = std::min(plan.grid_, height);
  if (plan.rows() == height) plan.core_ = height;
  return plan;
}

void BandPlan::set_rows(Index rows) {
  if (rows >= height_) {
    core_ = height_;
  } else if (core_ < height_) {
    core_ = std::max(grid_, (rows - above_ - below_) / grid_ * grid_);
  }
}

Band BandPlan::band(Index i) const {
  const Index top = i * core_;
  Band band{top, std::min(height_, top + core_), top - above_,
            std::min(height_, top + core_) + below_};
  if (!wrap_ || core_ == height_) {
    band.first = std::max<Index>(0, band.first);
    band.end = std::min(height_, band.end);
  }
  return band;
}

template BandPlan BandPlan::of<float>(Index, double, const BlurOptions&);
template BandPlan BandPlan::of<double>(Index, double, const BlurOptions&);

}  // namespace blurfield::app
