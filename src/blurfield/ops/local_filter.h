// SPDX-License-Identifier: BSD-3-Clause
// Local filter (C2): out(n, c, p) = sum_d w(n, d, p) x(n, c, p + d), a kernel of its own for every
// pixel, given tap by tap: weights (N, kh kw, H, W), tap (i, j) in channel i kw + j, its offset
// d = (i - kh / 2, j - kw / 2); signals (N, C, L) take weights (N, k, L). Weights of batch 1 serve
// the whole batch (and their gradient sums over it); all channels share them. x is extended beyond
// the border. Limited by reading the weights once.
//
// All functions throw Error for arrays that are not finite or shapes that do not match. Outputs
// must not overlap inputs. Results do not depend on the number of threads.
#pragma once

#include <vector>

#include "blurfield/base/extension.h"
#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"

namespace blurfield {

struct LocalFilterOptions {
  std::vector<Index> window;  // (kh, kw), or (k) for signals; required
  Extension extension;
  Execution execution;
};

template <class T>
void local_filter(const View<const T>& x, const View<const T>& weights, const View<T>& out,
                  const LocalFilterOptions& options);

template <class T>
Image<T> local_filter(const Image<T>& x, const Image<T>& weights,
                      const LocalFilterOptions& options) {
  Image<T> out(x.shape());
  local_filter<T>(x, weights, out, options);
  return out;
}

// Gradients of <cotangent, out> by x and by the weights (of the weights' own shape). An empty view
// is not computed. With cval != 0, grad_x is that of the linear part; grad_weights is exact.
template <class T>
void local_filter_vjp(const View<const T>& x, const View<const T>& weights,
                      const View<const T>& cotangent, const View<T>& grad_x,
                      const View<T>& grad_weights, const LocalFilterOptions& options);

// out_dot = the derivative of out along (x_dot, weights_dot); an empty one counts as zero.
template <class T>
void local_filter_jvp(const View<const T>& x, const View<const T>& weights,
                      const View<const T>& x_dot, const View<const T>& weights_dot,
                      const View<T>& out_dot, const LocalFilterOptions& options);

}  // namespace blurfield
