// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/window.h"

#include <algorithm>

namespace blurfield::detail {
namespace {

// The positions begin..end-1 lie inside 0..n-1.
Index inside_begin(const Positions& at, Index n) {
  Index below = std::max<Index>(0, -at.first);
  if (at.step > 1) below = (below + at.step - 1) / at.step;
  return at.first >= n ? at.count : std::min(below, at.count);
}

Index inside_end(const Positions& at, Index n) {
  if (at.first >= n) return at.count;
  Index inside = n - 1 - at.first;
  if (at.step > 1) inside /= at.step;
  return std::clamp(inside + 1, inside_begin(at, n), at.count);
}

template <class T>
void read_row(const T* row, Index x_stride, Index width, const Positions& xs,
              const Extension& extension, Index begin, Index end, T* out) {
  const T cval = static_cast<T>(extension.cval);
  const auto beyond = [&](Index from, Index to) {
    for (Index j = from; j < to; ++j) {
      const Index x = extend(xs[j], width, extension.mode);
      out[j] = x < 0 ? cval : row[x * x_stride];
    }
  };
  beyond(0, begin);
  const T* from = row + xs[begin] * x_stride;
  const Index step = xs.step * x_stride;
  if (step == 1) {
    std::copy_n(from, end - begin, out + begin);
  } else {
    for (Index j = begin; j < end; ++j) out[j] = from[(j - begin) * step];
  }
  beyond(end, xs.count);
}

// The adjoint of read_row's linear part.
template <class T>
void add_row(const T* in, const Positions& xs, Mode mode, Index begin, Index end, T* row,
             Index x_stride, Index width) {
  const auto beyond = [&](Index from, Index to) {
    for (Index j = from; j < to; ++j) {
      const Index x = extend(xs[j], width, mode);
      if (x >= 0) row[x * x_stride] += in[j];
    }
  };
  beyond(0, begin);
  T* to = row + xs[begin] * x_stride;
  const Index step = xs.step * x_stride;
  if (step == 1) {
    for (Index j = begin; j < end; ++j) to[j - begin] += in[j];
  } else {
    for (Index j = begin; j < end; ++j) to[(j - begin) * step] += in[j];
  }
  beyond(end, xs.count);
}

}  // namespace

template <class T>
void read_window(const Plane<T>& plane, const Extension& extension, const Positions& ys,
                 const Positions& xs, T* out, Index out_stride) {
  const Index begin = inside_begin(xs, plane.width);
  const Index end = inside_end(xs, plane.width);
  for (Index i = 0; i < ys.count; ++i) {
    T* to = out + i * out_stride;
    const Index y = extend(ys[i], plane.height, extension.mode);
    if (y < 0) {
      std::fill_n(to, xs.count, static_cast<T>(extension.cval));
    } else {
      read_row(plane.data + y * plane.y_stride, plane.x_stride, plane.width, xs, extension, begin,
               end, to);
    }
  }
}

template <class T>
void add_window(const T* in, Index in_stride, const Positions& ys, const Positions& xs, Mode mode,
                Index height, Index width, T* plane, Index y_stride, Index x_stride) {
  const Index begin = inside_begin(xs, width);
  const Index end = inside_end(xs, width);
  for (Index i = 0; i < ys.count; ++i) {
    const Index y = extend(ys[i], height, mode);
    if (y < 0) continue;
    add_row(in + i * in_stride, xs, mode, begin, end, plane + y * y_stride, x_stride, width);
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                                   \
  template void read_window(const Plane<T>&, const Extension&, const Positions&, const Positions&, \
                            T*, Index);                                                            \
  template void add_window(const T*, Index, const Positions&, const Positions&, Mode, Index,       \
                           Index, T*, Index, Index)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
