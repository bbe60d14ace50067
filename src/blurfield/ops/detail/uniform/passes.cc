// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/uniform/passes.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "blurfield/base/image.h"
#include "blurfield/kernels/transpose.h"

namespace blurfield::detail {
namespace {

using kernels::kFirRows;
using kernels::kFirSlack;
using kernels::Write;

constexpr Index kLanes = 48;         // rows that filter_rows takes at once: whole vectors
constexpr Index kFewLanes = 16;      // where there are few rows, or long bands
constexpr Index kRoom = 768 * 1024;  // bytes of a task of filter_rows, where its bands allow
constexpr Index kGroup = 8;          // blocks of a task of filter_columns
constexpr Index kStrip = 512;        // columns of it

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index round_up(Index i, Index step) { return (i + step - 1) / step * step; }
Index parts(Index count, Index size) { return (count + size - 1) / size; }

// Bands and the blocks of them that a run of results needs.
template <class T>
struct Stage {
  const UniformBand<T>* band;
  Index begin;  // blocks
  Index end;
  Range sources;
};

template <class T>
std::vector<Stage<T>> stages(std::span<const UniformBand<T>> bands, Index begin, Index end) {
  std::vector<Stage<T>> all(bands.size());
  for (std::size_t i = bands.size(); i-- > 0;) {
    const Range sources = bands[i].sources(begin, end);
    all[i] = {&bands[i], begin, end, sources};
    const bool round = sources.lo + sources.count > bands[i].columns();
    begin = round ? 0 : sources.lo / kFirRows;
    end = parts(round ? bands[i].columns() : sources.lo + sources.count, kFirRows);
  }
  return all;
}

// How filter_rows cuts its work: rows at once, and columns, a multiple of kLanes.
struct Cut {
  Index rows;
  Index columns;
};

template <class T>
Cut cut(std::span<const UniformBand<T>> bands, Index height, Index width) {
  // What a narrow run of results needs in the middle of a row: most of it is needed beside them.
  const Index begin = std::max<Index>(0, width / 2 / kFirRows - kLanes / kFirRows);
  const Index end = std::min(begin + kLanes / kFirRows, bands.back().blocks());
  Index halo = 0;
  for (const auto& stage : stages(bands, begin, end)) halo += stage.sources.count;
  const Index room = kRoom / (kLanes * static_cast<Index>(sizeof(T)));
  const Index columns = std::max(room - halo, halo);
  const bool few = height <= 4 * kLanes || columns + halo > 2 * room;
  return {few ? kFewLanes : kLanes, round_up(std::min(columns, width), kLanes)};
}

template <class T>
class RowFilter {
 public:
  RowFilter(std::span<const UniformBand<T>> bands, const View<const T>& x, double beyond)
      : bands_(bands), x_(x) {
    side_.fill(static_cast<T>(beyond));
  }

  // Results of blocks begin..end-1 of the last band for `rows` rows from y on: emit(column, count,
  // tile (count, rows), of stride kLanes).
  template <class Emit>
  void run(Index n, Index c, Index y, Index rows, Index begin, Index end, const Emit& emit) {
    const auto all = stages(bands_, begin, end);
    lanes_ = round_up(rows, kFewLanes);
    load(n, c, y, rows, all.front().sources);
    Range held = all.front().sources;
    if (all.size() > 1) {
      const Index first = all[0].begin * kFirRows;
      middle_.resize(at((all[0].end - all[0].begin) * kFirRows * kLanes));
      for (Index i = all[0].begin; i < all[0].end; ++i) {
        sum(all[0], i, held, columns_.data(), middle_.data() + (i * kFirRows - first) * kLanes);
      }
      held = {first, static_cast<Index>(middle_.size()) / kLanes};
    }
    const T* from = all.size() > 1 ? middle_.data() : columns_.data();
    const Index last = std::min(end * kFirRows, bands_.back().rows());
    for (Index i = begin; i < end; i += kLanes / kFirRows) {
      const Index stop = std::min(end, i + kLanes / kFirRows);
      for (Index k = i; k < stop; ++k) {
        sum(all.back(), k, held, from, tile_.data() + (k - i) * kFirRows * kLanes);
      }
      emit(i * kFirRows, std::min(last, stop * kFirRows) - i * kFirRows, tile_.data());
    }
  }

 private:
  // Columns sources of rows y.., transposed.
  void load(Index n, Index c, Index y, Index rows, const Range& sources) {
    columns_.resize(at(sources.count * kLanes));
    const Index whole = std::min(sources.count, x_.width() - sources.lo);
    kernels::transpose(x_.row(n, c, y) + sources.lo, x_.y_stride(), rows, whole, columns_.data(),
                       kLanes);
    if (whole == sources.count) return;
    kernels::transpose(x_.row(n, c, y), x_.y_stride(), rows, sources.count - whole,
                       columns_.data() + whole * kLanes, kLanes);
  }
  void sum(const Stage<T>& stage, Index block, const Range& held, const T* from, T* to) {
    const auto row = [&](Index k) {
      return from + (k >= held.lo ? k - held.lo : k - held.lo + stage.band->columns()) * kLanes;
    };
    const auto sums = stage.band->block(block, row, side_.data(), room_);
    kernels::fir_rows(sums, 0, lanes_, to, kLanes);
  }

  std::span<const UniformBand<T>> bands_;
  View<const T> x_;
  Index lanes_ = kLanes;
  std::array<T, kLanes> side_{};
  std::vector<T> columns_;
  std::vector<T> middle_;
  std::array<T, kLanes * kLanes> tile_{};
  std::vector<const T*> room_;
};

// Six rows of results in place, or by way of `scratch` where they are not all wanted or are added.
template <class T>
void sum_rows(const kernels::RowSums<T>& sums, Index begin, Index end, Index rows, bool add,
              std::vector<T>& scratch, T* out, Index stride) {
  if (rows == kFirRows && !add) return kernels::fir_rows(sums, begin, end, out + begin, stride);
  const Index count = end - begin;
  const Index step = count + kFirSlack;
  scratch.resize(at(kFirRows * step + kFirSlack));
  T* const sum = scratch.data() + kFirSlack;
  kernels::fir_rows(sums, begin, end, sum, step);
  for (Index j = 0; j < rows; ++j) {
    const T* const from = sum + j * step;
    T* const to = out + j * stride + begin;
    for (Index k = 0; k < count; ++k) to[k] = add ? to[k] + from[k] : from[k];
  }
}

}  // namespace

template <class T>
void filter_columns(const UniformBand<T>& band, const View<const T>& x, double beyond, bool add,
                    const View<T>& out, const Execution& execution) {
  const Index width = x.width();
  const std::vector<T> side(at(width), static_cast<T>(beyond));
  const Index strips = std::max<Index>(1, width / kStrip);
  const auto edge = [&](Index i) { return i == strips ? width : width * i / strips / 16 * 16; };
  const Index groups = parts(band.blocks(), kGroup);
  parallel_for(x.batch() * x.channels() * groups * strips, execution, [&](Index task) {
    const Index plane = task / (groups * strips);
    const Index n = plane / x.channels();
    const Index c = plane % x.channels();
    const Index group = task / strips % groups;
    const Index begin = edge(task % strips);
    const Index end = edge(task % strips + 1);
    std::vector<const T*> rows;
    std::vector<T> scratch;
    const auto row = [&](Index y) { return x.row(n, c, y); };
    const Index last = std::min(band.blocks(), (group + 1) * kGroup);
    for (Index i = group * kGroup; i < last; ++i) {
      const Index count = std::min(kFirRows, band.rows() - i * kFirRows);
      sum_rows(band.block(i, row, side.data(), rows), begin, end, count, add, scratch,
               out.row(n, c, i * kFirRows), out.y_stride());
    }
  });
}

template <class T>
bool filter_rows(std::span<const UniformBand<T>> bands, const View<const T>& x, double beyond,
                 bool add, const View<T>& out, const Execution& execution) {
  const Index height = x.height();
  const Index width = out.width();
  const auto [lanes, size] = cut(bands, height, width);
  const Index groups = parts(height, lanes);
  const Index segments = parts(width, size);
  std::atomic<bool> finite{true};
  parallel_for(x.batch() * x.channels() * groups * segments, execution,
               [&, lanes = lanes, size = size](Index task) {
                 const Index plane = task / (groups * segments);
                 const Index n = plane / x.channels();
                 const Index c = plane % x.channels();
                 const Index y = task / segments % groups * lanes;
                 const Index rows = std::min(lanes, height - y);
                 const Index begin = task % segments * size;
                 const Index end = std::min(width, begin + size);
                 RowFilter<T> filter(bands, x, beyond);
                 bool good = true;
                 filter.run(n, c, y, rows, begin / kFirRows, parts(end, kFirRows),
                            [&](Index column, Index count, const T* tile) {
                              good &= kernels::transpose(tile, kLanes, count, rows,
                                                         out.row(n, c, y) + column, out.y_stride(),
                                                         add ? Write::add : Write::plain);
                            });
                 if (!good) finite = false;
               });
  return finite;
}

#define BLURFIELD_INSTANTIATE(T)                                                                 \
  template void filter_columns(const UniformBand<T>&, const View<const T>&, double, bool,        \
                               const View<T>&, const Execution&);                                \
  template bool filter_rows(std::span<const UniformBand<T>>, const View<const T>&, double, bool, \
                            const View<T>&, const Execution&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
