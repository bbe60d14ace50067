// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/direct_tile.h"

#include <algorithm>

#include "blurfield/kernels/window_sums.h"

namespace blurfield::detail {
namespace {

// Pixels that a tile may pack: a part of the second-level cache.
constexpr Index kBudget = Index{1} << 16;
constexpr Index kLeastRows = 12;
constexpr Index kMostRows = 96;
constexpr Index kLeastTiles = 8;  // down an image, for threads to share
constexpr Index kMostColumns = 2048;

Index parts(Index n, Index size) { return (n + size - 1) / size; }

// n cut into equal parts of at most `most`, rounded up to `multiple`.
Index even_part(Index n, Index most, Index multiple) {
  const Index part = parts(n, parts(n, most));
  return std::min(parts(part, multiple) * multiple, std::max(n, multiple));
}

// Slots and offsets for `width` outputs: either every tap a slot of its own, or one slot for each
// remainder by the stride, whichever is shorter.
void lay_out(const CorrelationAxis& x, DirectTile& tile) {
  const Index shared = tile.width + (x.span() - 1) / x.stride;
  const Index remainders = std::min(x.stride, x.span());
  tile.slots.clear();
  tile.offsets.clear();
  if (remainders * shared <= x.taps * tile.width) {
    tile.slot_size = shared;
    for (Index r = 0; r < remainders; ++r) tile.slots.push_back(r);
    for (Index j = 0; j < x.taps; ++j) {
      const Index at = j * x.dilation;
      tile.offsets.push_back(at % x.stride * shared + at / x.stride);
    }
  } else {
    tile.slot_size = tile.width;
    for (Index j = 0; j < x.taps; ++j) {
      tile.slots.push_back(j * x.dilation);
      tile.offsets.push_back(j * tile.width);
    }
  }
  const auto count = static_cast<Index>(tile.slots.size());
  tile.row_size = parts(count * tile.slot_size, 16) * 16;
  // Rows a multiple of 1024 bytes apart would share few sets of the cache.
  if (tile.row_size % 256 == 0) tile.row_size += 16;
}

// What is packed for an output, a run of pixels counting kRunCost more than it has.
double packing(const CorrelationAxis& y, const CorrelationAxis& x, Index rows, Index columns) {
  constexpr double kRunCost = 64.0;
  return (1.0 + static_cast<double>(y.taps - 1) / static_cast<double>(rows)) *
         (1.0 + (static_cast<double>(x.taps - 1) + kRunCost) / static_cast<double>(columns));
}

}  // namespace

DirectTile direct_tile(const CorrelationAxis& y, const CorrelationAxis& x, Index channels) {
  const AxisPhase phase = axis_phase(y, 0);
  DirectTile tile;
  Index rows = std::clamp<Index>(parts(phase.count, kLeastTiles), kLeastRows, kMostRows);
  Index columns = kMostColumns;
  while (true) {
    tile.rows = even_part(phase.count, rows, kernels::kWindowRows);
    tile.columns = even_part(x.out, columns, kernels::kWindowLeastWidth);
    tile.width = std::max(tile.columns, kernels::kWindowLeastWidth);
    lay_out(x, tile);
    const Index reads = (tile.rows - 1) * phase.stride + y.taps;
    const bool lowest = rows <= kernels::kWindowRows;
    const bool narrowest = columns <= 4 * kernels::kWindowLeastWidth;
    if ((lowest && narrowest) || channels * reads * tile.row_size <= kBudget) return tile;
    const bool wider = packing(y, x, rows / 2, columns) < packing(y, x, rows, columns / 2);
    if (narrowest || (wider && !lowest)) {
      rows /= 2;
    } else {
      columns /= 2;
    }
  }
}

template <class T>
Index tile_count(const Correlation<T>& job, const DirectTile& tile) {
  // Phase 0 has the most rows; tiles of others may be without any.
  const Index down = parts(axis_phase(job.y_axis, 0).count, tile.rows);
  return job.x.batch() * job.groups() * phase_count(job.y_axis) * down *
         parts(job.x_axis.out, tile.columns);
}

template <class T>
TilePlace tile_place(const Correlation<T>& job, const DirectTile& tile, Index i) {
  const Index across = parts(job.x_axis.out, tile.columns);
  const Index down = parts(axis_phase(job.y_axis, 0).count, tile.rows);
  const Index phases = phase_count(job.y_axis);
  const Index plane = i / (across * down * phases);
  TilePlace at;
  at.n = plane / job.groups();
  at.g = plane % job.groups();
  at.phase = axis_phase(job.y_axis, i / (across * down) % phases);
  at.row = i / across % down * tile.rows;
  at.column = i % across * tile.columns;
  at.rows = std::clamp<Index>(at.phase.count - at.row, 0, tile.rows);
  at.columns = std::min(job.x_axis.out - at.column, tile.columns);
  return at;
}

template <class T>
void pack_tile(const Correlation<T>& job, const DirectTile& tile, const TilePlace& at,
               Index allotted, std::vector<T>& pixels) {
  pixels.resize(static_cast<std::size_t>(job.inputs() * allotted * tile.row_size));
  const Positions ys = tile_positions(job, at);
  const Index x = job.x_axis.first(at.column);
  const Index width = std::max(at.columns, kernels::kWindowLeastWidth);
  for (Index c = 0; c < job.inputs(); ++c) {
    const Plane<T> plane(job.x, at.n, at.g * job.inputs() + c);
    T* to = pixels.data() + c * allotted * tile.row_size;
    for (const Index slot : tile.slots) {
      read_window(plane, job.extension, ys,
                  {x + slot, job.x_axis.stride, tile.slot_size - tile.width + width}, to,
                  tile.row_size);
      to += tile.slot_size;
    }
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                             \
  template Index tile_count(const Correlation<T>&, const DirectTile&);                       \
  template TilePlace tile_place(const Correlation<T>&, const DirectTile&, Index);            \
  template void pack_tile(const Correlation<T>&, const DirectTile&, const TilePlace&, Index, \
                          std::vector<T>&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
