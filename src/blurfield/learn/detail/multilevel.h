// SPDX-License-Identifier: BSD-3-Clause
// A preconditioner for (blocks + weight D^T W D + diagonal) v = r on fields (F, K, H, W): the
// inverse of a K x K block per pixel, summed over a pyramid of ever coarser fields (Bramble,
// Pasciak and Xu 1990). It makes conjugate gradients carry what one place tells across the image,
// in a number of steps that hardly grows with its size.
#pragma once

#include <span>
#include <vector>

#include "blurfield/learn/detail/field_prior.h"

namespace blurfield::detail {

template <class T>
class Multilevel {
 public:
  // `field` is (F, K, H, W) or (F, K, L), K <= 3; without `pyramid` it is the block inverse alone.
  Multilevel(const Shape& field, bool pyramid, int threads);

  // `blocks` (F, K (K + 1) / 2, H, W), the rows of lower triangles; `diagonal` (F, K, H, W) is
  // added to them, as are the prior's stiffnesses at `weight`.
  void set(const Image<T>& blocks, std::span<const T> diagonal, const PriorOnField<T>& prior,
           double weight);
  void apply(std::span<const T> r, std::span<T> z);

 private:
  struct Level {
    Index height = 1;
    Index width = 1;
    double stiffness = 0.0;  // of a basis function: the energy |grad|^2 of what it is on the image
    Image<T> inverse;        // (F, triangle, height, width)
    Image<T> r;              // (F, K, height, width); none for the finest
    Image<T> z;
  };

  Index fields_;
  Index k_;
  int threads_;
  std::vector<Level> levels_;
};

}  // namespace blurfield::detail
