// SPDX-License-Identifier: BSD-3-Clause
// One axis of one node: pixels of a tile as Gaussian sums of the samples of a level, and the
// transpose.
#pragma once

#include <span>
#include <vector>

#include "blurfield/kernels/fir.h"
#include "blurfield/ops/detail/reach.h"
#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/tolerance/level_filter.h"

namespace blurfield::detail {

// The taps of a node at every phase of its level: pixels p and p + step have the same. Serves both
// axes.
class NodeTaps {
 public:
  // Sigma 0: the pixel itself.
  NodeTaps(double sigma, double step, const Ladder& ladder);

  Index step() const { return step_; }
  Index radius() const { return radius_; }  // samples on either side
  // 2 radius + 1 weights around sample floor(p / step) of pixel p, normalised.
  std::span<const double> of(Index pixel);

 private:
  Index step_;
  Index radius_ = 0;
  double tau_ = 0.0;  // in steps
  std::vector<double> weights_;
  std::vector<char> made_;  // per phase
};

template <class T>
class NodeFilter {
 public:
  // Which passes it will serve.
  enum class Use { forward, transposed, both };

  // With `edges` the frame's first and last pixel also stand for their copies beyond it.
  NodeFilter(const Window& pixels, NodeTaps& node, const LevelFilter<T>& level, bool edges,
             Use use);

  const Window& pixels() const { return pixels_; }
  // The samples that the pixels read, or that are read to no effect: rows must be there.
  const Window& samples() const { return samples_; }

  // Rows that an output of n rows is given: whole blocks of six.
  static Index room(Index n) { return n + 6 * kernels::kFirRows; }

  // out row p - pixels().begin, from rows[m - samples().begin].
  void apply(const T* const* rows, Index width, T* out, Index stride) const;
  // out row m - samples().begin, from rows[p - pixels().begin]; `zero` is a row of zeros.
  void apply_transposed(const T* const* rows, const T* zero, Index width, T* out,
                        Index stride) const;

 private:
  struct Taps {  // of one pixel: samples first, first + 1, ...
    Index first;
    std::span<const double> weights;
    Index end() const { return first + static_cast<Index>(weights.size()); }
  };
  using AllTaps = std::vector<Taps>;
  struct Block {  // six sums
    Index first;  // row
    Index count;
    std::size_t weights;
    Index step;
    Index band;
    Index out;
    Index out_step;
  };
  void add_bands(const AllTaps& taps, Index phases);
  void add_dense(const AllTaps& taps, Index first);
  void add_transposed_bands(const Taps& taps);
  void add_transposed_dense(const AllTaps& taps, Index first);
  std::size_t band_weights(const Taps& taps);
  std::size_t zeros(Index count);
  void run(const std::vector<Block>& blocks, const T* const* rows, Index width, T* out,
           Index stride) const;

  Window pixels_, samples_;
  std::vector<T> weights_;
  std::vector<Block> forward_, transposed_;
  Index margin_ = 0;  // rows of zeros that bands of the transpose read on both sides
};

}  // namespace blurfield::detail
