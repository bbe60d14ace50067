// SPDX-License-Identifier: BSD-3-Clause
// One axis of a separable filter, extension included: the n x n matrix F of
// out(t) = sum_k w(k) x(extend(t + k)), or its transpose, in blocks of six outputs. Where the
// frame's border or a radius beyond the image's size is met, the weights are folded onto the n
// pixels in closed form; inside, they are a band.
#pragma once

#include <vector>

#include "blurfield/base/extension.h"
#include "blurfield/kernels/fir.h"

namespace blurfield::detail {

// Correlation weights w(first), w(first + 1), ...
struct Taps {
  Index first = 0;
  std::vector<double> weights{1.0};
};

// 2 r + 1 weights with their centre in the middle.
Taps centred_taps(std::vector<double> weights);

// A run of pixels lo, lo + 1, ... of an axis, modulo n.
struct Range {
  Index lo = 0;
  Index count = 0;
};

template <class T>
class AxisFilter {
 public:
  // `beyond`: out also takes what Mode::constant has beyond the frame; if not, 0 stands there.
  AxisFilter(Taps taps, Index n, Mode mode, bool transposed, bool beyond);

  Index size() const { return n_; }
  // Taps per output inside the frame.
  Index taps() const { return hi_ - lo_ + 1; }
  // The pixels that outputs begin..end-1 read.
  Range sources(Index begin, Index end) const;

  // Outputs first..first+5 (those >= n are 0) as sums of rows, `first` a multiple of 6. `rows`
  // holds the pixels of `range`, which covers sources(first, first + 6); `cval_row` stands beyond
  // the frame. The sums stay valid as long as the filter, `rows` and `room` do.
  struct Room {
    std::vector<const T*> rows;
    std::vector<T> weights;
  };
  kernels::RowSums<T> block(Index first, const Range& range, const T* const* rows,
                            const T* cval_row, Room& room) const;

 private:
  double tap(Index k) const;
  double tail_below(Index k) const;       // sum of w(j), j <= k
  double weight(Index t, Index s) const;  // F or its transpose
  double beyond_weight(Index t) const;
  double folded(Index k) const;  // sum of w(k + m period)
  double forward(Index t, Index s) const;
  void fill(Index first, const Range& range, T* weights) const;
  bool inside(Index first) const;

  Index n_;
  Mode mode_;
  bool transposed_;
  bool beyond_;
  Taps taps_;
  Index lo_;  // offsets of the sources of an output inside the frame
  Index hi_;
  Index reach_;
  std::vector<double> running_;         // tail sums of the taps
  std::vector<double> fold_;            // the taps folded onto the extension's period
  std::vector<T> band_;                 // padded by five zeros on both sides
  std::vector<std::vector<T>> border_;  // weights of blocks that are not inside, if few
};

}  // namespace blurfield::detail
