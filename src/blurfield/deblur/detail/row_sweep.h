// SPDX-License-Identifier: BSD-3-Clause
// Passes over the rows of an image that apply differences D and their adjoint without storing
// D x: a few rows of it at a time, per strip of the image.
#pragma once

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "blurfield/base/parallel.h"
#include "blurfield/deblur/detail/differences.h"

namespace blurfield::detail {

// Channels whose differences are taken jointly: all of an image, or each by itself.
struct Groups {
  Index images, channels;  // of the array
  bool joint;
  Index count() const { return joint ? images : images * channels; }
  Index width() const { return joint ? channels : 1; }  // channels of a group
  Index image(Index group) const { return joint ? group : group / channels; }
  Index first(Index group) const { return joint ? 0 : group % channels; }
};

template <class T>
Plane<T> plane_of(const View<const T>& x, Index n, Index c) {
  return {x.row(n, c, 0), x.height(), x.width(), x.y_stride()};
}

// Row y of D x for all channels of a group, one after the other.
template <class D, class T>
void difference_rows(const View<const T>& x, const Groups& groups, Index group, Index y, T* to) {
  for (Index c = 0; c < groups.width(); ++c) {
    D::row(plane_of(x, groups.image(group), groups.first(group) + c), y,
           to + c * D::kComponents * x.width());
  }
}

inline constexpr Index kStripRows = 16;

// The sum of f(n, c, y) over all rows of an array (N, C, H, W).
template <class F>
double sum_rows(const Shape& shape, int threads, const F& f) {
  const Index strips = (shape[2] + kStripRows - 1) / kStripRows;
  std::vector<double> sums(static_cast<std::size_t>(shape[0] * shape[1] * strips));
  parallel_for(static_cast<Index>(sums.size()), {threads, {}}, [&](Index task) {
    const Index plane = task / strips;
    const Index begin = task % strips * kStripRows;
    double sum = 0.0;
    for (Index y = begin; y < std::min(begin + kStripRows, shape[2]); ++y) {
      sum += f(plane / shape[1], plane % shape[1], y);
    }
    sums[static_cast<std::size_t>(task)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// The sum over all rows of all groups of what `make` returns. make(group, y, rows, work) fills
// `rows`, a row of dual components of a group, and returns its share; `work` holds
// (spare_planes + 2) rows of pixels. Unless `out` is empty, out += factor D^T of the rows made.
template <class D, class T, class Make>
double sweep_rows(const Shape& shape, bool joint, Index spare_planes, int threads, const Make& make,
                  T factor, const View<T>& out) {
  const Groups groups{shape[0], shape[1], joint};
  const Index height = shape[2];
  const Index width = shape[3];
  const Index strips = (height + kStripRows - 1) / kStripRows;
  const Index planes = groups.width() * D::kComponents;
  const bool adjoint = !out.empty();
  std::vector<double> sums(static_cast<std::size_t>(groups.count() * strips));
  parallel_for(groups.count() * strips, {threads, {}}, [&](Index task) {
    const Index group = task / strips;
    const Index begin = task % strips * kStripRows;
    const Index end = std::min(begin + kStripRows, height);
    std::vector<T> scratch(static_cast<std::size_t>((3 * planes + spare_planes + 2) * width));
    const auto ring = [&](Index y) { return scratch.data() + (y % 3) * planes * width; };
    T* const work = scratch.data() + 3 * planes * width;
    const Index first = adjoint ? std::max<Index>(begin - 1, 0) : begin;
    const Index last = std::min(end + (adjoint ? D::kBelow : 0), height);
    double sum = 0.0;
    const auto spread = [&](Index y) {
      for (Index c = 0; c < groups.width(); ++c) {
        const Index at = c * D::kComponents * width;
        D::add_adjoint(y > 0 ? ring(y - 1) + at : nullptr, ring(y) + at,
                       D::kBelow > 0 && y + 1 < height ? ring(y + 1) + at : nullptr, width, factor,
                       out.row(groups.image(group), groups.first(group) + c, y));
      }
    };
    for (Index y = first; y < last; ++y) {
      const double share = make(group, y, ring(y), work);
      if (y >= begin && y < end) sum += share;
      for (Index k = 0; adjoint && k < groups.width(); ++k) {
        D::clear_beyond(y, height, width, ring(y) + k * D::kComponents * width);
      }
      const Index done = y - D::kBelow;
      if (adjoint && done >= begin && done < end) spread(done);
    }
    if (adjoint && D::kBelow > 0 && end == height) spread(height - 1);
    sums[static_cast<std::size_t>(task)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace blurfield::detail
