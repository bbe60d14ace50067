// SPDX-License-Identifier: BSD-3-Clause
// The loop over tiles that direct and separable correlation share: packs what a tile of outputs
// reads, computes its rows in blocks, and writes them to the output.
#pragma once

#include <functional>
#include <vector>

#include "blurfield/ops/detail/convolution/direct_tile.h"

namespace blurfield::detail {

// A block of six rows of one output, or a single row, to be computed.
template <class T>
struct RowBlock {
  Index set = 0;                   // the output, counted over groups unless these share kernels
  Index rows_of = 1;               // 6 or 1
  const T* const* rows = nullptr;  // kh + rows_of - 1 rows of each channel
  Index reads = 0;                 // pixels of a row that are there
  Index width = 0;
  T* out = nullptr;
  Index stride = 0;
};

template <class T>
struct TileWorkspace {
  std::vector<T> pixels;       // (C, rows, row_size)
  std::vector<T> outputs;      // a block that cannot be computed in place
  std::vector<T> constant;     // a row of what stands beyond the border
  std::vector<const T*> rows;  // of pixels, or of the image
  // For `compute`.
  std::vector<T> between;
  std::vector<const T*> between_rows;
};

// Computes a block; returns whether all that it computed is finite.
template <class T>
using ComputeBlock = std::function<bool(const RowBlock<T>&, TileWorkspace<T>&)>;

// Computes all blocks of all outputs. Returns whether all is finite.
template <class T>
bool sweep_tiles(const Correlation<T>& job, const DirectTile& tile, const ComputeBlock<T>& compute);

}  // namespace blurfield::detail
