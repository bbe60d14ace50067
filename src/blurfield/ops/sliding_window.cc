// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/sliding_window.h"

#include <algorithm>
#include <array>
#include <memory>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/convolution/geometry.h"
#include "blurfield/ops/detail/convolution/window.h"

namespace blurfield {
namespace {

using detail::Geometry;

Geometry geometry_of(const char* operation, const Shape& x, const std::vector<Index>& window,
                     CorrelateOptions options) {
  options.flip = false;
  return detail::correlate_geometry(operation, x, window, options);
}

Shape columns_shape(const Shape& x, const Geometry& geometry) {
  return {x[0], x[1] * geometry.y.taps * geometry.x.taps, geometry.y.out * geometry.x.out};
}

// Where row `row` of the columns lies: its channel and the taps of each axis.
struct Tap {
  Tap(Index row, const Geometry& g)
      : c(row / g.x.taps / g.y.taps), i(row / g.x.taps % g.y.taps), j(row % g.x.taps) {}
  Index c, i, j;
};

detail::Positions positions(const detail::CorrelationAxis& axis, Index tap, Index first,
                            Index count) {
  return {axis.first(first) + tap * axis.dilation, axis.stride, count};
}

template <class T>
std::unique_ptr<T[]> room(Index count) {
  return std::make_unique<T[]>(static_cast<std::size_t>(count));
}

}  // namespace

template <class T>
View<T> sliding_window(const View<T>& x, const std::vector<Index>& window,
                       const std::vector<Index>& stride) {
  constexpr const char* kName = "sliding_window";
  detail::check_shape(kName, "image", x.shape, x.data);
  const int axes = x.spatial_rank();
  require(window.size() == static_cast<std::size_t>(axes), kName, "expected a window of ", axes,
          " extents, got ", window.size());
  const auto step = detail::per_axis(kName, "stride", stride, axes, 1, 1);
  std::array<Index, kMaxRank> strides{x.stride[0], x.stride[1]};
  Shape shape =
      axes == 1 ? Shape{x.shape[0], x.shape[1], 1, 1} : Shape{x.shape[0], x.shape[1], 1, 1, 1, 1};
  for (int i = 0; i < axes; ++i) {
    const Index extent = window[static_cast<std::size_t>(i)];
    const Index along = step[static_cast<std::size_t>(i)];
    const Index n = x.shape[2 + i];
    require(extent >= 1 && extent <= n, kName, "expected a window of 1..", n, " pixels on axis ", i,
            ", got ", extent);
    shape[2 + i] = (n - extent) / along + 1;
    shape[2 + axes + i] = extent;
    strides[2 + i] = x.stride[2 + i] * along;
    strides[2 + axes + i] = x.stride[2 + i];
  }
  return {x.data, shape, strides};
}

Shape im2col_shape(const Shape& x, const std::vector<Index>& window,
                   const CorrelateOptions& options) {
  return columns_shape(x, geometry_of("im2col", x, window, options));
}

template <class T>
void im2col(const View<const T>& x, const std::vector<Index>& window, const View<T>& columns,
            const CorrelateOptions& options) {
  constexpr const char* kName = "im2col";
  const Geometry g = geometry_of(kName, x.shape, window, options);
  detail::check_image(kName, x);
  const Shape shape = columns_shape(x.shape, g);
  detail::check_same_shape(kName, "columns", columns.shape, shape);
  // Rows of the output in a task, so many that the taps of one read the image from the cache.
  constexpr Index kPixels = 1 << 14;
  const Index band = std::clamp<Index>(kPixels / g.x.out, 1, g.y.out);
  const Index bands = (g.y.out + band - 1) / band;
  parallel_for(shape[0] * bands, options.execution, [&](Index task) {
    const Index n = task / bands;
    const Index first = task % bands * band;
    const Index rows = std::min(band, g.y.out - first);
    const bool direct = columns.stride[2] == 1;
    const auto scratch = room<T>(direct ? 0 : rows * g.x.out);
    for (Index row = 0; row < shape[1]; ++row) {
      const Tap tap(row, g);
      T* to = columns.row(n, row, 0) + first * g.x.out * columns.stride[2];
      T* packed = direct ? to : scratch.get();
      detail::read_window<T>(detail::Plane<T>(x, n, tap.c), options.extension,
                             positions(g.y, tap.i, first, rows), positions(g.x, tap.j, 0, g.x.out),
                             packed, g.x.out);
      if (direct) continue;
      for (Index p = 0; p < rows * g.x.out; ++p) to[p * columns.stride[2]] = packed[p];
    }
  });
}

namespace {

// The rows of windows that see a row of the image: output row and tap.
struct Sight {
  Index o, i;
};

std::vector<std::vector<Sight>> sights(const detail::CorrelationAxis& axis, Mode mode) {
  std::vector<std::vector<Sight>> all(static_cast<std::size_t>(axis.in));
  for (Index o = 0; o < axis.out; ++o) {
    for (Index i = 0; i < axis.taps; ++i) {
      const Index y = extend(axis.first(o) + i * axis.dilation, axis.in, mode);
      if (y >= 0) all[static_cast<std::size_t>(y)].push_back({o, i});
    }
  }
  return all;
}

// Sums what the columns hold for one row of channel c, cut into runs so that rounding grows with
// their number.
template <class T>
class RowSum {
 public:
  RowSum(const Geometry& geometry, Mode mode)
      : g_(geometry),
        mode_(mode),
        packed_(room<T>(g_.x.out)),
        run_(room<T>(g_.x.in)),
        total_(room<T>(g_.x.in)) {}

  const T* sum(const View<const T>& columns, Index n, Index c, const std::vector<Sight>& seen) {
    constexpr Index kRun = 64;
    std::fill_n(total_.get(), g_.x.in, T{0});
    Index taps = 0;
    for (const Sight& at : seen) {
      for (Index j = 0; j < g_.x.taps; ++j) {
        if (taps++ % kRun == 0) flush();
        const T* from = columns.row(n, (c * g_.y.taps + at.i) * g_.x.taps + j, 0) +
                        at.o * g_.x.out * columns.stride[2];
        for (Index p = 0; p < g_.x.out; ++p) packed_[p] = from[p * columns.stride[2]];
        detail::add_window<T>(packed_.get(), 0, {0, 1, 1}, positions(g_.x, j, 0, g_.x.out), mode_,
                              1, g_.x.in, run_.get(), 0, 1);
      }
    }
    flush();
    return total_.get();
  }

 private:
  void flush() {
    for (Index x = 0; x < g_.x.in; ++x) total_[x] += run_[x];
    std::fill_n(run_.get(), g_.x.in, T{0});
  }

  const Geometry& g_;
  Mode mode_;
  std::unique_ptr<T[]> packed_;
  std::unique_ptr<T[]> run_;
  std::unique_ptr<T[]> total_;
};

}  // namespace

template <class T>
void col2im(const View<const T>& columns, const std::vector<Index>& window, const View<T>& x,
            const CorrelateOptions& options) {
  constexpr const char* kName = "col2im";
  detail::check_shape(kName, "image", x.shape, x.data);
  const Geometry g = geometry_of(kName, x.shape, window, options);
  detail::check_same_shape(kName, "columns", columns.shape, columns_shape(x.shape, g));
  detail::check_finite(kName, "columns", columns, options.execution);
  const auto seen = sights(g.y, options.extension.mode);
  const Index rows = x.channels() * x.height();
  parallel_for(x.batch() * rows, options.execution, [&](Index task) {
    const Index n = task / rows;
    const Index c = task % rows / x.height();
    const Index y = task % x.height();
    RowSum<T> row(g, options.extension.mode);
    const T* from = row.sum(columns, n, c, seen[static_cast<std::size_t>(y)]);
    for (Index i = 0; i < x.width(); ++i) x.at(n, c, y, i) = from[i];
  });
}

#define BLURFIELD_INSTANTIATE(T)                                                         \
  template View<T> sliding_window(const View<T>&, const std::vector<Index>&,             \
                                  const std::vector<Index>&);                            \
  template View<const T> sliding_window(const View<const T>&, const std::vector<Index>&, \
                                        const std::vector<Index>&);                      \
  template void im2col(const View<const T>&, const std::vector<Index>&, const View<T>&,  \
                       const CorrelateOptions&);                                         \
  template void col2im(const View<const T>&, const std::vector<Index>&, const View<T>&,  \
                       const CorrelateOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
