// SPDX-License-Identifier: BSD-3-Clause
// Reads windows of an extended plane.
#pragma once

#include "blurfield/base/extension.h"
#include "blurfield/base/view.h"

namespace blurfield::detail {

// `count` positions first, first + step, ... of an extended axis; step >= 1.
struct Positions {
  Index first = 0;
  Index step = 1;
  Index count = 0;
  Index operator[](Index i) const { return first + i * step; }
};

// One channel of an image.
template <class T>
struct Plane {
  const T* data = nullptr;
  Index height = 1;
  Index width = 1;
  Index y_stride = 0;
  Index x_stride = 1;

  Plane() = default;
  Plane(const View<const T>& view, Index n, Index c)
      : data(view.row(n, c, 0)),
        height(view.height()),
        width(view.width()),
        y_stride(view.y_stride()),
        x_stride(view.x_stride()) {}
};

// out(i, j) = plane(extend(ys[i]), extend(xs[j])), cval beyond the border under Mode::constant;
// rows of `out` start out_stride apart.
template <class T>
void read_window(const Plane<T>& plane, const Extension& extension, const Positions& ys,
                 const Positions& xs, T* out, Index out_stride);

// The adjoint of the linear part: plane(extend(ys[i]), extend(xs[j])) += in(i, j). Not safe to run
// on one plane in parallel.
template <class T>
void add_window(const T* in, Index in_stride, const Positions& ys, const Positions& xs, Mode mode,
                Index height, Index width, T* plane, Index y_stride, Index x_stride);

}  // namespace blurfield::detail
