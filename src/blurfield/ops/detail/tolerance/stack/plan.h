// SPDX-License-Identifier: BSD-3-Clause
// Which uniform blurs the tiles of a sigma or (sigma_y, sigma_x) field are interpolated from. Nodes
// are Chebyshev points in u = ln sigma over what the tile holds, snapped outward to 1/32 octave; a
// tile with a gap in its sigmas has a cluster of nodes on each side.
#pragma once

#include <array>
#include <vector>

#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/tolerance/levels.h"
#include "blurfield/ops/detail/tolerance/tiles.h"

namespace blurfield::detail {

// Below this sigma a Gaussian is the pixel itself, in double: exp(-1 / (2 sigma^2)) < 1e-21.
inline constexpr double kLeastSigma = 0.101;

struct StackNode {
  double u;
  double sigma;
  double step;          // of the level that it reads along its axis
  std::size_t cluster;  // index into the axis' clusters
};
struct StackCluster {
  double from, to;           // u of its pixels: from <= u < to
  std::size_t first, count;  // nodes
};
struct StackAxis {
  double mean = 0.0;  // of the tile's sigma
  double mean_square = 0.0;
  std::vector<StackCluster> clusters;
  std::vector<StackNode> nodes;  // ascending
};

struct StackTile {
  // Nodes along y and x; an isotropic field has its nodes in axes[0] alone.
  std::array<StackAxis, 2> axes;
  bool feasible = true;  // sigma stays where levels are worth their while
  double bound = 0.0;    // on the error
};

// The tiles of field n of sigmas.
template <class T>
std::vector<StackTile> stack_tiles(const AdaptiveField<T>& field, Index n, const Ladder& ladder);

// The levels that the nodes of `tiles` read, those with the same steps as one.
template <class T>
std::vector<LevelRequest> stack_levels(const AdaptiveField<T>& field,
                                       const std::vector<StackTile>& plan, const TileSet& tiles,
                                       const Ladder& ladder);

}  // namespace blurfield::detail
