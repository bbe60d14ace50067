// SPDX-License-Identifier: BSD-3-Clause
// A tile of neighbours of a logchol field, sorted by the levels that their kernels read.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "blurfield/kernels/residual_pixels.h"
#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/tolerance/ladder.h"

namespace blurfield::detail {

// The rule by which `ladder` shapes residual kernels. They have no nodes to interpolate between:
// most of what that may cost goes to truncation.
kernels::ResidualRule residual_rule(const Ladder& ladder);

// The sites of a tile that read the same level.
struct LevelSites {
  double step = 1.0;
  Window y;              // rows that their kernels reach
  double low_x, high_x;  // and columns
  Index row_taps = 0;    // at most
  double taps = 0.0;     // of all
  std::vector<kernels::ResidualPixel> pixels;
  std::vector<std::array<Index, 2>> at;  // (y, x) of each in the tile

  // Columns, rounded outwards whatever way the kernels round.
  Window x() const {
    return {static_cast<Index>(std::floor(low_x)) - 1, static_cast<Index>(std::ceil(high_x)) + 2};
  }
  void start(double level_step);
};

template <class T>
class ResidualSites {
 public:
  static constexpr Index kSide = kernels::ResidualParams::kMost;

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
  // Coefficients of {z1^2, z1 z2, z2^2} in d log g / d(a, b, c) there (G6), the level held fixed.
  std::array<std::array<double, 3>, 3> slopes(const LevelSites& level, Index i) const;

 private:
  struct Axis {
    Index from;
    bool reversed;
  };
  void read_row(const Axis& row, kernels::ResidualParams& sites) const;
  LevelSites& level_of(double step);

  const AdaptiveField<T>& field_;
  Index n_;
  kernels::ResidualRule rule_;
  std::vector<Axis> rows_, columns_;
  std::vector<LevelSites> levels_;  // kept for their memory
  std::size_t levels_in_use_ = 0;
};

}  // namespace blurfield::detail
