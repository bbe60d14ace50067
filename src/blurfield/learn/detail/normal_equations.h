// SPDX-License-Identifier: BSD-3-Clause
// J^T M J of a blur fit, M the weights of the residuals. Where a blur gathers, pixel p of the image
// depends on the local parameters of p alone, so that J has one column image per local parameter:
// J^T M J is a K x K block per pixel, bordered by the global parameters.
#pragma once

#include <vector>

#include "blurfield/learn/detail/blur_fit.h"

namespace blurfield::detail {

template <class T>
class NormalEquations {
 public:
  NormalEquations(const BlurFit<T>& fit, int threads);

  // At s; `weights` (N, C, H, W) is M's diagonal. Costs a push per local and global parameter. For
  // a scatter the blocks are those of parameters that move together with their neighbours'.
  void build(std::span<const T> s, const View<const T>& weights);

  // product = J^T M J v; gathers only.
  void multiply(std::span<const T> v, std::span<T> product) const;
  // diagonal = that of the blocks.
  void diagonal(std::span<T> diagonal) const;
  // The blocks' lower triangles, row by row: (F, K (K + 1) / 2, H, W).
  const Image<T>& blocks() const { return blocks_; }
  // The globals' block, row by row.
  const std::vector<double>& gram() const { return gram_; }

 private:
  template <class F>
  void each_pixel(const F& f) const;

  const BlurFit<T>& fit_;
  Shape local_;
  Index k_;         // local parameters per pixel
  Index triangle_;  // k (k + 1) / 2
  Index global_;
  Index plane_ = 0;  // pixels of a field
  int threads_;
  Image<T> blocks_;
  Image<T> border_;  // J_local^T M J_global, (F, K global, H, W)
  std::vector<double> gram_;
};

}  // namespace blurfield::detail
