// SPDX-License-Identifier: BSD-3-Clause
// The frame of a field cut into tiles, and which of them an engine computes.
#pragma once

#include <algorithm>
#include <vector>

#include "blurfield/ops/detail/reach.h"

namespace blurfield::detail {

// A multiple of 6 and 48 (rows and columns that kernels/fir.h takes at once), of 3, and of many
// powers of two: tiles begin alike on all levels up to step 48.
inline constexpr Index kTileSide = 96;

struct Tile {
  Window y, x;
};

class TileSet {
 public:
  TileSet() = default;
  TileSet(Index height, Index width)
      : height_(height),
        width_(width),
        columns_((width + kTileSide - 1) / kTileSide),
        member_(static_cast<std::size_t>((height + kTileSide - 1) / kTileSide * columns_), 0) {}

  Index count() const { return static_cast<Index>(member_.size()); }
  Tile tile(Index i) const {
    const Index y = i / columns_ * kTileSide;
    const Index x = i % columns_ * kTileSide;
    return {{y, std::min(height_, y + kTileSide)}, {x, std::min(width_, x + kTileSide)}};
  }
  bool has(Index i) const { return member_[static_cast<std::size_t>(i)] != 0; }
  bool has_pixel(Index y, Index x) const { return has(y / kTileSide * columns_ + x / kTileSide); }
  void add(Index i) { member_[static_cast<std::size_t>(i)] = 1; }
  bool empty() const { return std::find(member_.begin(), member_.end(), 1) == member_.end(); }

 private:
  Index height_ = 0;
  Index width_ = 0;
  Index columns_ = 0;
  std::vector<char> member_;
};

}  // namespace blurfield::detail
