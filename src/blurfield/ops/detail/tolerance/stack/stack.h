// SPDX-License-Identifier: BSD-3-Clause
// The passes of sigma and (sigma_y, sigma_x) fields to a tolerance:
//   value(p) = sum_k c_k(ln sigma(p)) (G_k x)(p),
// G_k uniform blurs of a few widths, read from levels of a pyramid, the c_k Lagrange polynomials;
// with two sigmas sum_kl c_k c_l over pairs. Tile by tile, each with nodes of its own.
#pragma once

#include <vector>

#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/tolerance/stack/plan.h"

namespace blurfield::detail {

// The passes of adaptive.h, restricted to kernels that belong to pixels of `tiles` of field n: a
// gather writes (or adds to) those pixels of `out` alone.
template <class T>
void stack_gather(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                  const std::vector<StackTile>& plan, const TileSet& tiles,
                  const GatherPass<T>& pass, const Execution& execution);
template <class T>
void stack_spread(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                  const std::vector<StackTile>& plan, const TileSet& tiles,
                  const SpreadPass<T>& pass, const Execution& execution);

}  // namespace blurfield::detail
