// SPDX-License-Identifier: BSD-3-Clause
// SparseRows made ready for kernels/fir.h: blocks of six rows, as sums of whole rows of an image.
#pragma once

#include <vector>

#include "blurfield/kernels/fir.h"
#include "blurfield/ops/detail/axis_filter.h"
#include "blurfield/ops/detail/uniform/rows.h"

namespace blurfield::detail {

// `lo`..`lo + count - 1` on a circle of n: the shortest range that holds two others.
Range united(const Range& a, const Range& b, Index n);

template <class T>
class UniformBand {
 public:
  explicit UniformBand(const SparseRows& rows);

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  double total() const { return total_; }  // of each row
  Index blocks() const { return static_cast<Index>(blocks_.size()); }
  // Multiply-adds per column of an image, in all.
  double taps() const { return taps_; }

  // The columns (modulo their number) that blocks begin..end-1 read.
  Range sources(Index begin, Index end) const;

  // Block i, of rows 6 i..6 i + 5 (those beyond the last are 0); row(k) points at row k of the
  // image, `beyond` at a row of what stands beyond its frame. The sums live as long as `room`.
  template <class Row>
  kernels::RowSums<T> block(Index i, const Row& row, const T* beyond,
                            std::vector<const T*>& room) const {
    const Block& b = blocks_[static_cast<std::size_t>(i)];
    room.clear();
    for (Index k = b.range.lo; k < b.range.lo + b.range.count; ++k) {
      room.push_back(row(k < columns_ ? k : k - columns_));
    }
    room.push_back(beyond);
    // The last weight is that of what stands beyond the frame.
    const Index count = b.range.count + (b.beyond ? 1 : 0);
    return {room.data(), count, weights_.data() + b.weights, b.range.count + 1, 0};
  }

 private:
  struct Block {
    Range range;
    bool beyond = false;
    std::size_t weights = 0;
  };
  Block assembled(const SparseRows& rows, Index i);

  Index rows_;
  Index columns_;
  double total_;
  double taps_ = 0.0;
  std::vector<Block> blocks_;
  std::vector<T> weights_;
};

}  // namespace blurfield::detail
