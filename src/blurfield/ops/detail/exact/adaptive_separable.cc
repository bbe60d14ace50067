// SPDX-License-Identifier: BSD-3-Clause
// The passes of isotropic and diagonal fields. Per row and tile the image rows a kernel needs are
// packed once for all pixels of the tile, rows y - k and y + k added up where the kernels are
// symmetric about the row: that halves the work. A spread works on target rows: a range of them
// belongs to one task, which runs over all sources within reach, always in the same order, so that
// results do not depend on how the rows were shared out.
#include <algorithm>
#include <vector>

#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/exact/separable_tile.h"

namespace blurfield::detail {
namespace {

constexpr Index kRowsBytes = 256 << 10;  // packed rows: what stays in a core's cache

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index wrapped(Index i, Index n) { return i >= 0 && i < n ? i : extend(i, n, Mode::wrap); }

// Calls f(offset in the window, first pixel in the frame, count) for the runs of a window.
template <class F>
void for_runs(const Window& window, Index n, const F& f) {
  for (Index i = window.begin; i < window.end;) {
    const Index first = wrapped(i, n);
    const Index count = std::min(window.end - i, n - first);
    f(i - window.begin, first, count);
    i += count;
  }
}

// One thread's state for one field: tables and packed rows of the tile at hand.
template <class T>
class Worker {
 public:
  Worker(const AdaptiveField<T>& field, const RowCosts& costs, Index field_n, bool derivative)
      : field_(field), n_(field_n), tile_(field, costs, derivative) {
    for (auto* list : {&out_, &dy_, &dx_}) list->resize(at(tile_.max_pixels()));
    for (auto* list : {&value_, &along_y_, &along_x_}) list->resize(at(tile_.max_pixels()));
  }

  // Calls f(x0, count) for the tiles of a row, their tables built.
  template <class F>
  void for_tiles(Index y, const F& f) {
    const Window columns{0, field_.params.width()};
    for_runs_of(field_, n_, y, columns, tile_.max_pixels(), [&](Index x0, Index end) {
      tile_.build(n_, y, x0, end - x0);
      row_stride_ = kernels::padded(tile_.columns().size()) + kernels::kPad;
      f(x0, end - x0);
    });
  }

  void gather(const GatherPass<T>& pass, const Plane& plane, Index y, Index x0, Index count);
  void spread(const SpreadPass<T>& pass, const Plane& plane, Index y, Index x0, Index count,
              const Window& band);

 private:
  Index frame_row(Index slot) const {
    return wrapped(tile_.rows().begin + slot, field_.params.height());
  }
  Index slots_at_once() const {
    return std::max<Index>(1, kRowsBytes / (row_stride_ * static_cast<Index>(sizeof(T))));
  }
  void reserve(Index slots) {
    // Never shrinks, so that what kernels read beyond a row's end is finite.
    if (rows_.size() < at(slots * row_stride_)) rows_.resize(at(slots * row_stride_));
  }
  void pack(const View<const T>& src, const Plane& plane, Index y, Index slot0, Index slot1);
  void unpack(const View<T>& out, const Plane& plane, Index y, Index slot0, Index slot1,
              const Window& band);
  Window slots_of_band(Index y, const Window& band) const;
  void add_border(const GatherPass<T>& pass, Index count);
  void finish(const GatherPass<T>& pass, const Plane& plane, Index y, Index x0, Index count);

  const AdaptiveField<T>& field_;
  Index n_;
  SeparableTile<T> tile_;
  Index row_stride_ = 0;
  std::vector<T> rows_;
  std::vector<double> out_, dy_, dx_;
  std::vector<T> value_, along_y_, along_x_;
};

template <class T>
void Worker<T>::pack(const View<const T>& src, const Plane& plane, Index y, Index slot0,
                     Index slot1) {
  for (Index slot = slot0; slot < slot1; ++slot) {
    T* to = rows_.data() + (slot - slot0) * row_stride_;
    const bool pair = tile_.symmetric() && slot > 0;
    const T* above = src.row(plane.n, plane.c, tile_.symmetric() ? y - slot : frame_row(slot));
    const T* below = pair ? src.row(plane.n, plane.c, y + slot) : nullptr;
    for_runs(tile_.columns(), src.width(), [&](Index offset, Index x, Index count) {
      if (pair) {
        kernels::add_rows(above + x, below + x, count, to + offset);
      } else {
        std::copy_n(above + x, count, to + offset);
      }
    });
  }
}

template <class T>
void Worker<T>::unpack(const View<T>& out, const Plane& plane, Index y, Index slot0, Index slot1,
                       const Window& band) {
  const auto add = [&](Index row, const T* from) {
    if (row < band.begin || row >= band.end) return;
    for_runs(tile_.columns(), out.width(), [&](Index offset, Index x, Index count) {
      kernels::accumulate_row(from + offset, count, out.row(plane.n, plane.c, row) + x);
    });
  };
  for (Index slot = slot0; slot < slot1; ++slot) {
    const T* from = rows_.data() + (slot - slot0) * row_stride_;
    add(tile_.symmetric() ? y - slot : frame_row(slot), from);
    if (tile_.symmetric() && slot > 0) add(y + slot, from);
  }
}

// The slots that touch the rows of a band (under Mode::wrap: that may touch).
template <class T>
Window Worker<T>::slots_of_band(Index y, const Window& band) const {
  const Index slots = tile_.slots();
  if (!tile_.symmetric()) {
    if (field_.mode == Mode::wrap) return {0, slots};
    const Index first = tile_.rows().begin;
    return {std::max<Index>(0, band.begin - first), std::min(slots, band.end - first)};
  }
  const Index nearest = std::max<Index>({0, band.begin - y, y - (band.end - 1)});
  const Index farthest = std::max(band.end - 1 - y, y - band.begin);
  return {nearest, std::min(slots, farthest + 1)};
}

template <class T>
void Worker<T>::add_border(const GatherPass<T>& pass, Index count) {
  for (Index i = 0; i < count; ++i) {
    const auto& mass = tile_.mass()[at(i)];
    out_[at(i)] += pass.cval * (1.0 - mass.y * mass.x);
    dy_[at(i)] -= pass.cval * mass.dy * mass.x;
    dx_[at(i)] -= pass.cval * mass.y * mass.dx;
  }
}

template <class T>
void Worker<T>::gather(const GatherPass<T>& pass, const Plane& plane, Index y, Index x0,
                       Index count) {
  for (auto* sums : {&out_, &dy_, &dx_}) std::fill_n(sums->begin(), count, 0.0);
  const Index step = slots_at_once();
  for (Index slot0 = 0; slot0 < tile_.slots(); slot0 += step) {
    const Index slot1 = std::min(tile_.slots(), slot0 + step);
    reserve(slot1 - slot0);
    pack(pass.src, plane, y, slot0, slot1);
    kernels::gather_tile(tile_.tile(), rows_.data(), row_stride_, slot0, slot1,
                         {out_.data(), dy_.data(), dx_.data()});
  }
  if (field_.mode == Mode::constant && pass.cval != 0.0) add_border(pass, count);
  finish(pass, plane, y, x0, count);
}

template <class T>
void Worker<T>::finish(const GatherPass<T>& pass, const Plane& plane, Index y, Index x0,
                       Index count) {
  const Index x_channel = field_.params.channels() - 1;
  const auto dot = [&](Index channel, Index x) {
    return static_cast<double>(pass.field_dot.at(n_, channel, y, x));
  };
  if (!pass.out.empty()) {
    T* out = &pass.out.at(plane.n, plane.c, y, x0);
    for (Index i = 0; i < count; ++i, out += pass.out.x_stride()) {
      double value = out_[at(i)];
      if (!pass.field_dot.empty()) {
        value = dy_[at(i)] * dot(0, x0 + i) + dx_[at(i)] * dot(x_channel, x0 + i);
      }
      *out = static_cast<T>(pass.add ? static_cast<double>(*out) + value : value);
    }
  }
  if (!pass.grad_field.empty()) {
    for (Index i = 0; i < count; ++i) {
      const T coef = pass.coef.at(plane.n, plane.c, y, x0 + i);
      const double along_y = x_channel == 0 ? dy_[at(i)] + dx_[at(i)] : dy_[at(i)];
      pass.grad_field.at(n_, 0, y, x0 + i) += coef * static_cast<T>(along_y);
      if (x_channel == 1) pass.grad_field.at(n_, 1, y, x0 + i) += coef * static_cast<T>(dx_[at(i)]);
    }
  }
}

template <class T>
void Worker<T>::spread(const SpreadPass<T>& pass, const Plane& plane, Index y, Index x0,
                       Index count, const Window& band) {
  const Index x_channel = field_.params.channels() - 1;
  const bool slopes = !pass.along.empty();
  for (Index i = 0; i < count; ++i) {
    const Index x = x0 + i;
    value_[at(i)] = pass.value.empty() ? T{0} : pass.value.at(plane.n, plane.c, y, x);
    if (!slopes) continue;
    const T along = pass.along.at(plane.n, plane.c, y, x);
    along_y_[at(i)] = along * pass.field_dot.at(n_, 0, y, x);
    along_x_[at(i)] = along * pass.field_dot.at(n_, x_channel, y, x);
  }
  const kernels::SpreadValues<T> values{value_.data(), slopes ? along_y_.data() : nullptr,
                                        slopes ? along_x_.data() : nullptr};
  const Window slots = slots_of_band(y, band);
  const Index step = slots_at_once();
  for (Index slot0 = slots.begin; slot0 < slots.end; slot0 += step) {
    const Index slot1 = std::min(slots.end, slot0 + step);
    reserve(slot1 - slot0);
    std::fill_n(rows_.begin(), (slot1 - slot0) * row_stride_, T{0});
    kernels::spread_tile(tile_.tile(), values, rows_.data(), row_stride_, slot0, slot1);
    unpack(pass.out, plane, y, slot0, slot1, band);
  }
}

}  // namespace

template <class T>
void separable_gather(const AdaptiveField<T>& field, const GatherPass<T>& pass) {
  const bool derivative = !pass.grad_field.empty() || !pass.field_dot.empty();
  run_ranges(
      field, gather_ranges, [&](const RowCosts& costs, const RowRange& rows, const Tick& tick) {
        const std::vector<Plane> planes = planes_of(pass.src.shape, field.params.batch(), rows.n);
        Worker<T> worker(field, costs, rows.n, derivative);
        for (Index y = rows.begin; y < rows.end; ++y) {
          tick(static_cast<double>(y - rows.begin) / static_cast<double>(rows.end - rows.begin));
          worker.for_tiles(y, [&](Index x0, Index count) {
            for (const Plane& plane : planes) worker.gather(pass, plane, y, x0, count);
          });
        }
      });
}

template <class T>
void separable_spread(const AdaptiveField<T>& field, const SpreadPass<T>& pass) {
  const bool derivative = pass.fused || !pass.field_dot.empty();
  const Index height = field.params.height();
  run_ranges(
      field, spread_ranges, [&](const RowCosts& costs, const RowRange& rows, const Tick& tick) {
        const std::vector<Plane> planes = planes_of(pass.out.shape, field.params.batch(), rows.n);
        const Window band{rows.begin, rows.end};
        Worker<T> worker(field, costs, rows.n, derivative);
        for (Index y = 0; y < height; ++y) {
          if (!reaches(y, costs.ry[at(y)], band, height, field.mode)) continue;
          tick(done_of(y, band, costs.max_ry));
          const bool own = pass.fused && y >= band.begin && y < band.end;
          worker.for_tiles(y, [&](Index x0, Index count) {
            for (const Plane& plane : planes) {
              worker.spread(pass, plane, y, x0, count, band);
              if (own) worker.gather(*pass.fused, plane, y, x0, count);
            }
          });
        }
      });
}

template void separable_gather(const AdaptiveField<float>&, const GatherPass<float>&);
template void separable_gather(const AdaptiveField<double>&, const GatherPass<double>&);
template void separable_spread(const AdaptiveField<float>&, const SpreadPass<float>&);
template void separable_spread(const AdaptiveField<double>&, const SpreadPass<double>&);

}  // namespace blurfield::detail
