// SPDX-License-Identifier: BSD-3-Clause
// A tile of neighbours of a logchol field, sorted by the levels that their kernels read.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "blurfield/kernels/residual_shapes.h"
#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/tolerance/ladder.h"

namespace blurfield::detail {

// The rule by which `ladder` shapes residual kernels. They have no nodes to interpolate between:
// most of what that may cost goes to truncation.
kernels::ResidualRule residual_rule(const Ladder& ladder);

// The sites of a tile that read the same level.
struct LevelSites {
  double step = 1.0;
  kernels::ResidualHull hull;  // the samples that their kernels reach
  std::vector<kernels::ResidualPixel> pixels;
  std::vector<std::array<std::uint8_t, 2>> at;  // (y, x) of each from the first site

  Window y() const { return {static_cast<Index>(hull.low_y), static_cast<Index>(hull.high_y) + 1}; }
  // Rounded outwards whatever way the kernels round.
  Window x() const {
    return {static_cast<Index>(std::floor(hull.low_x)) - 1,
            static_cast<Index>(std::ceil(hull.high_x)) + 2};
  }
};

template <class T>
class ResidualSites {
 public:
  static constexpr Index kSide = kernels::ResidualShapes::kMost;

  ResidualSites(const AdaptiveField<T>& field, Index n, const Ladder& ladder)
      : field_(field), n_(n), rule_(residual_rule(ladder)) {}

  // Up to kSide x kSide pixels of the extended plane: copies of field pixels. False if a kernel is
  // too long, its level too coarse, or either is not a number. Without `keep` only what they read
  // is told, no pixels.
  bool place(const Window& y, const Window& x, bool keep);

  std::size_t levels() const { return levels_in_use_; }
  const LevelSites& level(std::size_t i) const { return levels_[i]; }

  // A site's place in the frame.
  struct Site {
    Index y, x;
    bool turned;  // exactly one axis is reversed: b has its sign changed
  };
  Site site(const LevelSites& level, Index i) const {
    const auto [y, x] = level.at[static_cast<std::size_t>(i)];
    const Axis& row = rows_[static_cast<std::size_t>(y)];
    const Axis& column = columns_[static_cast<std::size_t>(x)];
    return {row.from, column.from, row.reversed != column.reversed};
  }
  // Sums over the sites of sqrt(Sigma_yy), sqrt(Sigma_xx), and their product, in pixels.
  const std::array<double, 3>& widths() const { return widths_; }
  // Coefficients of {z1^2, z1 z2, z2^2} in d log g / d(a, b, c) there (G6), the level held fixed.
  std::array<std::array<double, 3>, 3> slopes(const LevelSites& level, Index i) const;

 private:
  struct Axis {
    Index from;
    bool reversed;
  };
  void read_row(const Axis& row, kernels::ResidualParams<T>& params) const;
  LevelSites& level_of(double step);

  const AdaptiveField<T>& field_;
  Index n_;
  kernels::ResidualRule rule_;
  std::vector<Axis> rows_, columns_;
  std::vector<LevelSites> levels_;  // kept for their memory
  std::size_t levels_in_use_ = 0;
  std::array<double, 3> widths_{};
};

}  // namespace blurfield::detail
