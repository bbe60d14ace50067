// SPDX-License-Identifier: BSD-3-Clause
// Sliding windows of images (N, C, H, W) and signals (N, C, L): as a strided view without a copy,
// and packed into columns (im2col) with the adjoint of that (col2im).
#pragma once

#include <vector>

#include "blurfield/base/image.h"
#include "blurfield/ops/correlate.h"

namespace blurfield {

// All windows of kh x kw pixels that lie within the image, `stride` apart: a view of shape
// (N, C, Ho, Wo, kh, kw), or (N, C, Lo, k) for signals, on the image's own pixels. Ho = floor((H -
// kh) / stride) + 1. `window` has one extent per spatial axis; `stride` is empty (1), one number,
// or one per axis. Throws Error for windows larger than the image and numbers < 1.
template <class T>
View<T> sliding_window(const View<T>& x, const std::vector<Index>& window,
                       const std::vector<Index>& stride = {});

// The windows that a kernel of this size sees under `options` (extension, stride, dilation, output
// or padding; flip, method are not used), packed: (N, C kh kw, Ho Wo), tap (i, j) of channel c in
// row (c kh + i) kw + j. Signals: (N, C k, Lo). Throws Error as correlate does.
Shape im2col_shape(const Shape& x, const std::vector<Index>& window,
                   const CorrelateOptions& options = {});
template <class T>
void im2col(const View<const T>& x, const std::vector<Index>& window, const View<T>& columns,
            const CorrelateOptions& options = {});

// The adjoint of im2col's linear part, and so its vjp: every entry of `columns` is added to the
// pixel of x that it was read from.
template <class T>
void col2im(const View<const T>& columns, const std::vector<Index>& window, const View<T>& x,
            const CorrelateOptions& options = {});

}  // namespace blurfield
