// SPDX-License-Identifier: BSD-3-Clause
// How direct correlation cuts its outputs into tiles and packs the pixels that a tile reads: packed
// rows need no border rule, break the cache conflicts of images whose width is a power of two, and
// serve every stride and dilation.
#pragma once

#include <vector>

#include "blurfield/ops/detail/convolution/correlation.h"
#include "blurfield/ops/detail/convolution/phases.h"

namespace blurfield::detail {

struct DirectTile {
  Index rows = 0;     // outputs of a tile, along the outputs of a phase (phases.h)
  Index columns = 0;  // along x
  Index width = 0;    // columns that can be computed: at least a vector
  // A packed row: slot s holds pixels slots[s], slots[s] + stride, ... of the tile's first output.
  std::vector<Index> slots;
  Index slot_size = 0;
  Index row_size = 0;  // with padding
  std::vector<Index>
      offsets;  // tap j of output 0 lies at offsets[j], of output o at offsets[j] + o
};

// Few rows of few channels are read where they are: packing them would take longer than summing.
template <class T>
bool reads_in_place(const Correlation<T>& job) {
  constexpr Index kMostRows = 5;
  return job.x.x_stride() == 1 && job.x_axis.stride == 1 &&
         job.inputs() * job.y_axis.taps <= kMostRows;
}

DirectTile direct_tile(const CorrelationAxis& y, const CorrelationAxis& x, Index channels);

// One tile: outputs of batch n, group g; rows row.. of a phase, columns column...
struct TilePlace {
  Index n = 0;
  Index g = 0;
  AxisPhase phase;
  Index row = 0;
  Index column = 0;
  Index rows = 0;  // 0 where the phase has none here
  Index columns = 0;
};

template <class T>
Index tile_count(const Correlation<T>& job, const DirectTile& tile);
template <class T>
TilePlace tile_place(const Correlation<T>& job, const DirectTile& tile, Index i);

// The positions along y of the packed rows of a tile.
template <class T>
Positions tile_positions(const Correlation<T>& job, const TilePlace& at) {
  const Index stride = at.phase.stride;
  return at.phase.positions(at.row * stride, (at.rows - 1) * stride + job.y_axis.taps);
}

// Fills `pixels` with the rows of all channels of the group, `allotted` rows per channel.
template <class T>
void pack_tile(const Correlation<T>& job, const DirectTile& tile, const TilePlace& at,
               Index allotted, std::vector<T>& pixels);

}  // namespace blurfield::detail
