// SPDX-License-Identifier: BSD-3-Clause
// The convolutions of ops/ on Vars: shapes, options and errors are theirs. Where the options give
// no thread limit, that of the Vars holds. All are linear in each input, so that every derivative
// of any order is there.
#pragma once

#include <vector>

#include "blurfield/autodiff/var.h"
#include "blurfield/ops/correlate.h"
#include "blurfield/ops/local_filter.h"

namespace blurfield {

// `kernel` (kh, kw), (C, kh, kw) or (K, C, kh, kw).
template <class T>
Var<T> correlate(const Var<T>& x, const Var<T>& kernel, const CorrelateOptions& options = {});
template <class T>
Var<T> convolve(const Var<T>& x, const Var<T>& kernel, CorrelateOptions options = {}) {
  options.flip = !options.flip;
  return correlate(x, kernel, options);
}

// `weights` (N | 1, kh kw, H, W).
template <class T>
Var<T> local_filter(const Var<T>& x, const Var<T>& weights, const LocalFilterOptions& options);

// (N, C, H, W) to (N, C kh kw, Ho Wo).
template <class T>
Var<T> im2col(const Var<T>& x, const std::vector<Index>& window,
              const CorrelateOptions& options = {});
// Its adjoint: `columns` added up into an image of shape `x`.
template <class T>
Var<T> col2im(const Var<T>& columns, const std::vector<Index>& window, const Shape& x,
              const CorrelateOptions& options = {});

}  // namespace blurfield
