// SPDX-License-Identifier: BSD-3-Clause
// The sums of ops/local_filter.h on checked images. Weights are not checked: each function returns
// whether its result is finite, which it is not where a weight is not.
#pragma once

#include "blurfield/base/extension.h"
#include "blurfield/base/parallel.h"
#include "blurfield/base/view.h"

namespace blurfield::detail {

// Kernels of kh x kw taps for images (N, C, H, W). Weights of batch 1 make one set of kernels,
// which serves all N C planes of the images; else batch n serves the C planes of batch n. A set's
// planes are numbered 0..planes-1.
template <class T>
struct LocalKernels {
  View<const T> weights;  // (N or 1, kh kw, H, W)
  Index kh = 1;
  Index kw = 1;
  Index channels = 1;
  Index planes = 1;  // of a set

  Index sets() const { return weights.batch(); }
  Index height() const { return weights.height(); }
  Index width() const { return weights.width(); }
  Index top() const { return kh / 2; }
  Index left() const { return kw / 2; }
  Index batch(Index set, Index plane) const { return sets() == 1 ? plane / channels : set; }
  // Row y of a set's plane in images of this shape.
  template <class U>
  U* row(const View<U>& view, Index set, Index plane, Index y) const {
    return view.row(batch(set, plane), plane % channels, y);
  }
};

// out = sum_d w(d) x(p + d), or out += that where `add` is set.
template <class T>
bool local_sums(const LocalKernels<T>& kernels, const View<const T>& x, const Extension& extension,
                bool add, const View<T>& out, const Execution& execution);

// The adjoint of the linear part to x.
template <class T>
bool local_adjoint(const LocalKernels<T>& kernels, const View<const T>& cotangent, Mode mode,
                   const View<T>& grad, const Execution& execution);

// The gradient by the weights, of their shape: sum over a set's planes of cotangent(p) x(p + d).
// Of `kernels`, the weights' shape alone is used.
template <class T>
void local_weight_gradient(const LocalKernels<T>& kernels, const View<const T>& x,
                           const Extension& extension, const View<const T>& cotangent,
                           const View<T>& grad, const Execution& execution);

}  // namespace blurfield::detail
