// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/exact/separable_tile.h"

#include <algorithm>
#include <numeric>

#include "blurfield/ops/detail/exact/fold.h"

namespace blurfield::detail {
namespace {

using kernels::kGroup;
using kernels::kPad;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// The part of a tile's window that a group needs.
Window group_window(Index first, Index last, Index radius, Index n, Mode mode, bool dense) {
  const bool inside = first - radius >= 0 && last + radius < n;
  if (dense) return inside ? Window{first - radius, last + radius + 1} : Window{0, n};
  return reach_window(first, last, radius, n, mode);
}

}  // namespace

template <class T>
SeparableTile<T>::SeparableTile(const AdaptiveField<T>& field, const RowCosts& costs,
                                bool derivative)
    : field_(field),
      derivative_(derivative),
      isotropic_(field.params.channels() == 1 && field.radius.same_on_both_axes()) {
  constexpr Index kTableBytes = 400 << 10;
  const Index height = field.params.height();
  const Index width = field.params.width();
  y_axis_.half_stride = kernels::padded(costs.max_ry + 1) + kPad;
  x_axis_.half_stride = kernels::padded(costs.max_rx + 1) + kPad;
  y_axis_.full_stride = kernels::padded(std::min<Index>(2 * costs.max_ry + 1, height)) + 2 * kPad;
  x_axis_.full_stride =
      kernels::padded(std::min<Index>(2 * costs.max_rx + 1, width) + kGroup) + 2 * kPad;
  const Index per_pixel =
      (y_axis_.half_stride + x_axis_.half_stride + y_axis_.full_stride + x_axis_.full_stride) *
      (derivative ? 2 : 1) * static_cast<Index>(sizeof(T));
  max_pixels_ = 64;
  while (max_pixels_ > kGroup && max_pixels_ * per_pixel > kTableBytes) max_pixels_ /= 2;
  for (Axis* axis : {&y_axis_, &x_axis_}) {
    const std::size_t half = at(max_pixels_ * axis->half_stride);
    const std::size_t full = at(max_pixels_ * axis->full_stride + kPad);
    axis->half.resize(half);
    axis->full.resize(full);
    axis->dhalf.resize(derivative ? half : 0);
    axis->dfull.resize(derivative ? full : 0);
    axis->sigma.resize(at(max_pixels_));
    axis->radius.resize(at(max_pixels_));
    axis->extent.resize(at(max_pixels_), 0);
    axis->place.resize(at(max_pixels_));
  }
  mass_.resize(at(max_pixels_));
}

// Under mirror a scattered kernel that just reaches the frame's edge pixel reaches it once more
// from its copy on the other side.
template <class T>
bool SeparableTile<T>::meets_own_copy(Index first, Index last, Index n) const {
  return field_.mode == Mode::mirror && field_.belongs == Belongs::to_source &&
         (first <= 0 || last >= n - 1);
}

template <class T>
void SeparableTile<T>::read_field(Index n, Index y, Index x0, Index count) {
  const View<const T>& params = field_.params;
  const RadiusRule rule = field_.radius;
  for (Axis* axis : {&y_axis_, &x_axis_}) {
    const int which = axis == &y_axis_ ? 0 : 1;
    if (which == 1 && isotropic_) {
      std::copy_n(y_axis_.radius.begin(), count, x_axis_.radius.begin());
      continue;
    }
    const T* sigma = &params.at(n, which == 0 ? 0 : params.channels() - 1, y, x0);
    for (Index i = 0; i < count; ++i, sigma += params.x_stride()) {
      axis->sigma[at(i)] = static_cast<double>(*sigma);
      axis->radius[at(i)] = rule(which, axis->sigma[at(i)]);
    }
  }
}

// Four neighbours share a group, and with it the largest radius among them, unless one of them is
// so much wider than the others that each had better go alone.
template <class T>
void SeparableTile<T>::make_groups(Index y, Index x0, Index count) {
  const Index height = field_.params.height();
  const Index width = field_.params.width();
  const Mode mode = field_.mode;
  const bool y_dense = rows_.begin == 0 && rows_.end == height && mode == Mode::wrap;
  const bool x_dense = columns_.begin == 0 && columns_.end == width && mode == Mode::wrap;
  const auto add_group = [&](Index first, int size) {
    Index ry = 0;
    Index rx = 0;
    for (Index i = first; i < first + size; ++i) {
      ry = std::max<Index>(ry, y_axis_.radius[at(i)]);
      rx = std::max<Index>(rx, x_axis_.radius[at(i)]);
    }
    Window slots{0, ry + 1};
    if (!symmetric_) {
      slots = group_window(y, y, ry, height, mode, y_dense);
      slots = {slots.begin - rows_.begin, slots.end - rows_.begin};
    }
    const Window c = group_window(x0 + first, x0 + first + size - 1, rx, width, mode, x_dense);
    groups_.push_back(
        {first, size, slots.begin, slots.end, c.begin - columns_.begin, c.end - columns_.begin});
    for (Index i = first; i < first + size; ++i) {
      y_axis_.extent[at(i)] = ry + 1;  // up to the group's last slot; x tables pad themselves
      y_axis_.place[at(i)] = {y - rows_.begin, y_axis_.radius[at(i)], slots_};
      x_axis_.place[at(i)] = {x0 + i - c.begin, x_axis_.radius[at(i)], c.size()};
    }
  };
  groups_.clear();
  for (Index first = 0; first < count; first += kGroup) {
    const Index size = std::min<Index>(kGroup, count - first);
    Index own = 0;
    Index ry = 0;
    Index rx = 0;
    for (Index i = first; i < first + size; ++i) {
      const Index pixel_ry = y_axis_.radius[at(i)];
      const Index pixel_rx = x_axis_.radius[at(i)];
      own += (pixel_ry + 1) * (2 * pixel_rx + 1);
      ry = std::max(ry, pixel_ry);
      rx = std::max(rx, pixel_rx);
    }
    const Index together = kGroup * (ry + 1) * (2 * rx + 1);
    if (size == kGroup && 2 * together <= 3 * own) {
      add_group(first, kGroup);
    } else {
      for (Index i = first; i < first + size; ++i) add_group(i, 1);
    }
  }
}

// An isotropic field has one half table for both axes.
template <class T>
const typename SeparableTile<T>::Axis& SeparableTile<T>::half_of(const Axis& axis) const {
  return isotropic_ ? y_axis_ : axis;
}

template <class T>
void SeparableTile<T>::make_tables(Axis& axis, Index count) {
  const Axis& source = half_of(axis);
  if (&source == &axis) {
    kernels::half_tables(axis.sigma.data(), axis.radius.data(), axis.extent.data(), count,
                         axis.half.data(), derivative_ ? axis.dhalf.data() : nullptr,
                         axis.half_stride);
  }
  if (&axis == &y_axis_ && symmetric_) return;
  kernels::mirror_tables(source.half.data(), source.half_stride, axis.place.data(), count,
                         axis.full.data() + kPad, axis.full_stride);
  if (derivative_) {
    kernels::mirror_tables(source.dhalf.data(), source.half_stride, axis.place.data(), count,
                           axis.dfull.data() + kPad, axis.full_stride);
  }
}

// Brings what lies beyond the frame back onto it, or, under Mode::constant, notes what is left.
// `first + i * step` is the position of pixel i on the axis.
template <class T>
void SeparableTile<T>::fold_borders(Axis& axis, bool along_y, Index first, Index step,
                                    Index count) {
  const Index n = along_y ? field_.params.height() : field_.params.width();
  for (Index i = 0; i < count; ++i) {
    const Index p = first + i * step;
    const Index radius = axis.radius[at(i)];
    const Index length = axis.place[at(i)].length;
    const Index begin = p - axis.place[at(i)].centre;
    const bool inside = p - radius >= begin && p + radius < begin + length &&
                        !meets_own_copy(p - radius, p + radius, n);
    if (inside) continue;
    for (const bool slope : {false, true}) {
      if (slope && !derivative_) continue;
      T* table = (slope ? axis.dfull : axis.full).data() + kPad + i * axis.full_stride;
      if (field_.mode == Mode::constant) {
        const double sum = std::accumulate(table, table + length, 0.0);
        Mass& mass = mass_[at(i)];
        (slope ? (along_y ? mass.dy : mass.dx) : (along_y ? mass.y : mass.x)) = sum;
        continue;
      }
      const Axis& source = half_of(axis);
      const T* half = (slope ? source.dhalf : source.half).data() + i * source.half_stride;
      const bool to_output = field_.belongs == Belongs::to_output;
      if (radius < n) {  // few copies: no need to add up in double
        fold_kernel(half, radius, p, n, field_.mode, to_output, begin, begin + length, table);
        continue;
      }
      scratch_.assign(table, table + length);
      fold_kernel(half, radius, p, n, field_.mode, to_output, begin, begin + length,
                  scratch_.data());
      for (Index j = 0; j < length; ++j) table[j] = static_cast<T>(scratch_[at(j)]);
    }
  }
}

template <class T>
void SeparableTile<T>::build(Index n, Index y, Index x0, Index count) {
  const Index height = field_.params.height();
  read_field(n, y, x0, count);
  const Index ry = *std::max_element(y_axis_.radius.begin(), y_axis_.radius.begin() + count);
  const Index rx = *std::max_element(x_axis_.radius.begin(), x_axis_.radius.begin() + count);
  symmetric_ = y - ry >= 0 && y + ry < height && !meets_own_copy(y - ry, y + ry, height);
  rows_ = reach_window(y, y, ry, height, field_.mode);
  slots_ = symmetric_ ? ry + 1 : rows_.size();
  columns_ = reach_window(x0, x0 + count - 1, rx, field_.params.width(), field_.mode);
  make_groups(y, x0, count);
  make_tables(y_axis_, count);
  make_tables(x_axis_, count);
  if (field_.mode == Mode::constant) std::fill_n(mass_.begin(), count, Mass{});
  if (!symmetric_) fold_borders(y_axis_, true, y, 0, count);
  fold_borders(x_axis_, false, x0, 1, count);
  const bool half = symmetric_;
  tile_.groups = groups_.data();
  tile_.group_count = static_cast<Index>(groups_.size());
  tile_.yw = half ? y_axis_.half.data() : y_axis_.full.data() + kPad;
  tile_.xw = x_axis_.full.data() + kPad;
  tile_.dyw = nullptr;
  tile_.dxw = nullptr;
  if (derivative_) {
    tile_.dyw = half ? y_axis_.dhalf.data() : y_axis_.dfull.data() + kPad;
    tile_.dxw = x_axis_.dfull.data() + kPad;
  }
  tile_.y_stride = half ? y_axis_.half_stride : y_axis_.full_stride;
  tile_.x_stride = x_axis_.full_stride;
}

template class SeparableTile<float>;
template class SeparableTile<double>;

}  // namespace blurfield::detail
