// SPDX-License-Identifier: BSD-3-Clause
// The passes of logchol fields to a tolerance. A pixel of covariance Sigma reads the level of the
// largest step D (kernels/residual_shapes.h) with lambda_min(Sigma) >= least D^2 (ladder.h) by a
// Gaussian of covariance T = Sigma / D^2 - A I, normalised, over its parallelogram
//   |dy| <= t sqrt(T_yy),  |dx - dy T_yx / T_yy| <= t sqrt(det T / T_yy),
// dy, dx from the pixel to the level's samples, in steps, and the samples next to its edge. D is
// held fixed in derivatives.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/tolerance/levels.h"
#include "blurfield/ops/detail/tolerance/tiles.h"

namespace blurfield::detail {

// Bound on the error of all kernels (BlurReport::error_bound).
double residual_bound(const Ladder& ladder);

// What the kernels of a tile read.
struct ResidualTile {
  double taps = 0.0;     // of all its pixels, on their levels
  bool feasible = true;  // kernels reach no further than levels can be made for
  std::map<double, std::array<Index, 2>> beyond;  // by step: samples (y, x) beyond the frame
  std::array<Index, 2> reach{0, 0};               // pixels (y, x) from a kernel's centre
  // Sums over its pixels of sqrt(Sigma_yy), sqrt(Sigma_xx) and their product, if it is feasible.
  std::array<double, 3> widths{0.0, 0.0, 0.0};
};

// The tiles of field n.
template <class T>
std::vector<ResidualTile> residual_tiles(const AdaptiveField<T>& field, Index n,
                                         const Ladder& ladder);

// The levels that `tiles` read; the image is the first.
template <class T>
std::vector<LevelRequest> residual_levels(const AdaptiveField<T>& field, Index n,
                                          const Ladder& ladder,
                                          const std::vector<ResidualTile>& plan,
                                          const TileSet& tiles);

// The passes of adaptive.h, restricted to kernels that belong to pixels of `tiles` of field n: a
// gather writes (or adds to) those pixels of `out` alone. `plan` is that of residual_tiles, under
// any mode; the tiles must be feasible.
template <class T>
void residual_gather(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                     const std::vector<ResidualTile>& plan, const TileSet& tiles,
                     const GatherPass<T>& pass, const Execution& execution);
template <class T>
void residual_spread(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                     const std::vector<ResidualTile>& plan, const TileSet& tiles,
                     const SpreadPass<T>& pass, const Execution& execution);

}  // namespace blurfield::detail
