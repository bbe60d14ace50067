// SPDX-License-Identifier: BSD-3-Clause
// One tile of the stack: its nodes' filters and coefficients, and both directions of
//   value = sum over pairs (k, l) of c_k c_l Y_k X_l level(k, l).
// An isotropic field has the pairs (k, k) alone, with coefficient c_k.
#pragma once

#include <vector>

#include "blurfield/kernels/node_mix.h"
#include "blurfield/ops/detail/tolerance/levels.h"
#include "blurfield/ops/detail/tolerance/node_filter.h"
#include "blurfield/ops/detail/tolerance/stack/plan.h"

namespace blurfield::detail {

// A block of samples of a level that a spread has filled.
template <class T>
struct LevelBlock {
  std::size_t level;
  std::size_t plane;
  Window y, x;
  std::vector<T> samples;
};

template <class T>
class StackTileWork {
 public:
  using Use = typename NodeFilter<T>::Use;

  // Pixels of a tile's row in the arrays below.
  static constexpr Index kStride = kTileSide;

  // Prepares the tile.
  void start(const AdaptiveField<T>& field, Index n, const Ladder& ladder, const StackTile& plan,
             const Tile& tile, const LevelGrid<T>& grid, Use use);

  // value() and, if asked, slope(axis), the derivative by the sigma of that axis, of a plane.
  void gather(const Levels<T>& levels, std::size_t plane, bool slopes);
  const T* value() const { return value_.data(); }
  const T* slope(std::size_t axis) const { return slope_[axis].data(); }

  // The transpose: from input() and, if asked, along(axis), filled for a plane, to blocks.
  T* input() { return value_.data(); }
  T* along(std::size_t axis) { return slope_[axis].data(); }
  void spread(std::size_t plane, bool values, bool slopes, std::vector<LevelBlock<T>>& blocks);

 private:
  // Nodes first..end-1 of an axis that read the same step.
  struct Group {
    std::size_t first, end;
  };
  struct Axis {
    std::vector<NodeFilter<T>> filters;
    std::vector<Group> groups;
    // Of an isotropic field along y alone:
    std::vector<kernels::NodePolynomial> polynomials;
    std::vector<double> roots, scales;
    double middle = 0.0;        // of the tile's ln sigma: what is counted from it keeps its digits
    std::vector<T> u, inverse;  // ln sigma - middle and 1 / sigma of the tile's pixels
  };
  // What pairs of a group along y and one along x read.
  struct Block {
    std::size_t level;
    Group y, x;
    Window rows, columns;
    Index stride;  // of the block turned: rows, and what a vector reads beyond
  };
  void read_sigma(const AdaptiveField<T>& field, Index n, Index channel, Axis& axis);
  void make_polynomials(const StackAxis& nodes, Axis& axis);
  void make_blocks(const LevelGrid<T>& grid, const StackTile& plan, bool signal);
  kernels::NodePair<T> pair(std::size_t k, std::size_t l) const;
  // The y nodes that meet x node l of a block, and the rows that they read.
  Group partners(const Block& block, std::size_t l) const;
  Window rows_of(const Group& group) const;
  // Pointers to rows first, first + 1, ... of an array.
  const T* const* pointers(const std::vector<T>& rows, Index first, Index count, Index stride,
                           Index column = 0);
  void gather_node(const Block& block, std::size_t l, bool slopes);
  void spread_node(const Block& block, std::size_t l, bool values, bool slopes);

  Tile tile_;
  Index width_ = 0;  // of the tile, in whole vectors
  bool diagonal_ = false;
  Axis axes_[2];
  std::vector<NodeTaps> taps_;
  std::vector<Block> blocks_;
  std::vector<T> value_, slope_[2];
  // Samples of a block; they turned; one node's along x; it turned; one node's pixels.
  std::vector<T> packed_, turned_, mid_, mid_turned_, node_;
  std::vector<T> part_, zero_;
  std::vector<const T*> pointers_;
};

}  // namespace blurfield::detail
