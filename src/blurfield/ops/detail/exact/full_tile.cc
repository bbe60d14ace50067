// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/exact/full_tile.h"

#include <algorithm>
#include <cmath>

#include "blurfield/kernels/adaptive/separable.h"

namespace blurfield::detail {
namespace {

using kernels::kMargin;

constexpr Index kRowsBytes = 256 << 10;  // packed rows: what stays in a core's cache

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Calls inside(first, count) for the part of begin..end-1 in the frame, outside(i) for the rest.
template <class Inside, class Outside>
void split_at_frame(Index begin, Index end, Index n, const Inside& inside, const Outside& outside) {
  const Index low = std::clamp<Index>(begin, 0, n);
  const Index high = std::clamp<Index>(end, 0, n);
  for (Index i = begin; i < std::min<Index>(end, 0); ++i) outside(i);
  if (low < high) inside(low, high - low);
  for (Index i = std::max(begin, n); i < end; ++i) outside(i);
}

}  // namespace

template <class T>
void FullTile<T>::place(Index y, Index x0, Index count) {
  // Beyond this an inverse width cannot change a weight any more, and no product overflows.
  constexpr double kLargest = 1e15;
  const Index height = field_.params.height();
  const Index width = field_.params.width();
  y_ = y;
  ry_ = 0;
  rx_ = 0;
  pixels_.clear();
  sites_.clear();
  for (Index i = 0; i < count; ++i) {
    const Index x = x0 + i;
    const bool flip = reversed(y, height, field_.mode) != reversed(x, width, field_.mode);
    Site site{extend(y, height, field_.mode), extend(x, width, field_.mode), 0.0,
              flip ? -1.0 : 1.0};
    const auto theta = [&](Index k) {
      return static_cast<double>(field_.params.at(n_, k, site.y, site.x));
    };
    site.b = site.sign * theta(1);
    const double exp_a = std::exp(theta(0));
    const double exp_c = std::exp(theta(2));
    const auto [py, px] = logchol_radii(field_.radius, exp_a, site.b, exp_c);
    pixels_.push_back({std::min(1.0 / exp_a, kLargest), std::min(1.0 / exp_c, kLargest),
                       site.b * std::min(1.0 / exp_a, 1e300), py, px, 0});
    sites_.push_back(site);
    ry_ = std::max<Index>(ry_, py);
    rx_ = std::max<Index>(rx_, px);
  }
  columns_ = {x0 - rx_, x0 + count + rx_};
  stride_ = columns_.size() + 2 * kMargin;
  for (Index i = 0; i < count; ++i) pixels_[at(i)].column = kMargin + rx_ + i;
}

template <class T>
kernels::FullPolynomial FullTile<T>::polynomial(Index i, const View<const T>& field_dot) const {
  const Site& s = site(i);
  const auto dot = [&](Index k) { return static_cast<double>(field_dot.at(n_, k, s.y, s.x)); };
  return {0.0, dot(0), pixel(i).inv_c * (s.sign * dot(1) - s.b * dot(0)), dot(2)};
}

template <class T>
Index FullTile<T>::slots_at_once(int planes) const {
  const Index bytes = 2 * stride_ * std::max(planes, 1) * static_cast<Index>(sizeof(T));
  return std::max<Index>(1, kRowsBytes / bytes);
}

template <class T>
kernels::FullRows<const T> FullTile<T>::pack(const View<const T>& src,
                                             std::span<const Plane> planes,
                                             const Extension& extension, Index k0, Index k1) {
  const kernels::FullRows<T> to = zeroed(packed_, static_cast<int>(planes.size()), k0, k1);
  kernels::FullRows<const T> rows{{}, to.planes, to.stride, k0, k1};
  const Mode mode = extension.mode;
  const T cval = static_cast<T>(extension.cval);
  for (std::size_t c = 0; c < planes.size(); ++c) {
    rows.plane[c] = to.plane[c];
    for (Index slot = 0; slot < 2 * (k1 - k0); ++slot) {
      const Index k = k0 + slot / 2;
      const Index row = extend(slot % 2 == 0 ? y_ - k : y_ + k, src.height(), mode);
      T* out = to.plane[c] + slot * stride_ + kMargin;
      if (row < 0) {
        std::fill_n(out, columns_.size(), cval);
        continue;
      }
      const T* in = src.row(planes[c].n, planes[c].c, row);
      split_at_frame(
          columns_.begin, columns_.end, src.width(),
          [&](Index x, Index count) { std::copy_n(in + x, count, out + x - columns_.begin); },
          [&](Index x) {
            const Index from = extend(x, src.width(), mode);
            out[x - columns_.begin] = from < 0 ? cval : in[from];
          });
    }
  }
  return rows;
}

template <class T>
kernels::FullRows<T> FullTile<T>::blank(int planes, Index k0, Index k1) {
  return zeroed(blank_, planes, k0, k1);
}

template <class T>
kernels::FullRows<T> FullTile<T>::zeroed(std::vector<T>& store, int planes, Index k0,
                                         Index k1) const {
  const Index size = 2 * (k1 - k0) * stride_;
  store.assign(at(std::max(planes, 1) * size), T{0});
  kernels::FullRows<T> rows{{}, planes, stride_, k0, k1};
  for (int c = 0; c < planes; ++c) rows.plane[c] = store.data() + c * size;
  return rows;
}

template <class T>
void FullTile<T>::unpack(const View<T>& out, std::span<const Plane> planes, Mode mode,
                         const kernels::FullRows<T>& rows, const Window& band) const {
  for (std::size_t c = 0; c < planes.size(); ++c) {
    for (Index slot = 0; slot < 2 * (rows.k1 - rows.k0); ++slot) {
      const Index k = rows.k0 + slot / 2;
      const Index row = extend(slot % 2 == 0 ? y_ - k : y_ + k, out.height(), mode);
      if (row < band.begin || row >= band.end) continue;
      const T* from = rows.plane[c] + slot * stride_ + kMargin;
      T* to = out.row(planes[c].n, planes[c].c, row);
      split_at_frame(
          columns_.begin, columns_.end, out.width(),
          [&](Index x, Index count) {
            kernels::accumulate_row(from + x - columns_.begin, count, to + x);
          },
          [&](Index x) {
            const Index into = extend(x, out.width(), mode);
            if (into >= 0) to[into] += from[x - columns_.begin];
          });
    }
  }
}

template class FullTile<float>;
template class FullTile<double>;

}  // namespace blurfield::detail
