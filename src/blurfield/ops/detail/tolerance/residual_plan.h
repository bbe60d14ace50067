// SPDX-License-Identifier: BSD-3-Clause
// What the tiles of a logchol field read from the levels of a pyramid, and where their kernels
// live.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "blurfield/ops/detail/tolerance/levels.h"
#include "blurfield/ops/detail/tolerance/residual.h"
#include "blurfield/ops/detail/tolerance/residual_sites.h"
#include "blurfield/ops/detail/tolerance/tiles.h"

namespace blurfield::detail {

template <class T>
class ResidualPlan {
 public:
  ResidualPlan(const AdaptiveField<T>& field, Index n, const Ladder& ladder)
      : field_(field),
        n_(n),
        ladder_(ladder),
        frame_{field.params.height(), field.params.width()} {}

  ResidualTile read(const Tile& tile) const;
  // The levels that the members of `set` read; the image is the first.
  std::vector<LevelRequest> levels(const std::vector<ResidualTile>& tiles,
                                   const TileSet& set) const;
  LevelGrid<T> grid(const std::vector<ResidualTile>& tiles, const TileSet& set) const {
    return {frame_[0], frame_[1], mode(), ladder_, levels(tiles, set)};
  }

  // Calls f(y, x) for parts, as large as ResidualSites takes them, of the extended plane: the
  // copies of a tile's pixels whose kernels reach the frame.
  template <class F>
  void for_sites(const Tile& tile, const ResidualTile& reads, const F& f) const {
    for (const Window& y : copies(tile.y, 0, reads.reach[0])) {
      for (const Window& x : copies(tile.x, 1, reads.reach[1])) for_parts(y, x, f);
    }
  }

 private:
  // Of the extension that levels see: kernels that belong to the source spread into the frame
  // alone.
  Mode mode() const { return field_.belongs == Belongs::to_source ? Mode::constant : field_.mode; }
  template <class F>
  static void for_parts(const Window& y, const Window& x, const F& f) {
    constexpr Index kSide = ResidualSites<T>::kSide;
    for (Index y0 = y.begin; y0 < y.end; y0 += kSide) {
      for (Index x0 = x.begin; x0 < x.end; x0 += kSide) {
        f(Window{y0, std::min(y.end, y0 + kSide)}, Window{x0, std::min(x.end, x0 + kSide)});
      }
    }
  }
  void add(const LevelSites& level, ResidualTile& tile) const;
  Index footprint(double step) const;
  std::vector<Window> copies(const Window& window, std::size_t axis, Index reach) const;

  const AdaptiveField<T>& field_;
  Index n_;
  Ladder ladder_;
  std::array<Index, 2> frame_;
};

}  // namespace blurfield::detail
