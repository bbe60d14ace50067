// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/term_sum.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "blurfield/base/image.h"
#include "blurfield/kernels/transpose.h"

namespace blurfield::detail {
namespace {

using kernels::kFirRows;
using kernels::kFirSlack;
using kernels::Write;

// A block is kBlock rows high; the second pass, on the transposed block, is kBlock columns wide.
// A multiple of six and of every vector width.
constexpr Index kBlock = 48;
constexpr Index kStrip = 96;                         // columns per step of the first pass
constexpr Index kStripStride = kFirSlack + 96 + 16;  // an odd number of cache lines
constexpr Index kTileBytes = 600 * 1024;             // of the transposed block
constexpr Index kStreamBytes = 8 << 20;  // a result that no cache will hold when it is read

Index round_up(Index i, Index step) { return (i + step - 1) / step * step; }

// The rows of a view as planes of one image each; all rows of a set of signals are one plane.
template <class T>
struct Planes {
  explicit Planes(const View<T>& v)
      : view(v),
        count(v.spatial_rank() == 1 ? 1 : v.batch() * v.channels()),
        height(v.spatial_rank() == 1 ? v.batch() * v.channels() : v.height()) {}
  T* row(Index plane, Index y) const {
    if (view.spatial_rank() == 1) return view.row(y / view.channels(), y % view.channels(), 0);
    return view.row(plane / view.channels(), plane % view.channels(), y);
  }
  View<T> view;
  Index count;
  Index height;
};

// Whether pixels are packed along x, and the rows of a plane equally far apart.
template <class T>
bool regular_rows(const View<T>& v) {
  const bool signals = v.spatial_rank() == 1 && v.batch() > 1 && v.channels() > 1;
  return v.x_stride() == 1 && (!signals || v.stride[0] == v.stride[1] * v.channels());
}

// What a task works in.
template <class T>
struct Room {
  Image<T> strip;    // kBlock rows of the first pass
  Image<T> columns;  // the first pass, transposed: rows of kBlock
  Image<T> tile;     // kBlock x kBlock results, still transposed
  Image<T> result;   // the same, in place, where it is not written out directly
  std::vector<const T*> rows;
  std::vector<const T*> column_rows;
  typename AxisFilter<T>::Room filter;
};

// Lends rooms to tasks, so that there are only as many as threads.
template <class T>
class Rooms {
 public:
  std::unique_ptr<Room<T>> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Room<T>>();
    auto room = std::move(free_.back());
    free_.pop_back();
    return room;
  }
  void give(std::unique_ptr<Room<T>> room) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(room));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Room<T>>> free_;
};

template <class T>
class Passes {
 public:
  Passes(const TermSum& sum, const View<const T>& x)
      : sum_(sum), x_(x), width_(x.width()), cval_row_(Shape{width_}) {
    const bool beyond = sum.extension.cval != 0;
    Index widest = 0;
    for (const Term& term : sum.terms) {
      vertical_.emplace_back(term.vertical, x_.height, sum.extension.mode, sum.transposed, beyond);
      horizontal_.emplace_back(term.horizontal, width_, sum.extension.mode, sum.transposed,
                               term.side != 0);
      widest = std::max(widest, horizontal_.back().taps());
    }
    std::fill_n(cval_row_.data(), width_, static_cast<T>(sum.extension.cval));
    const Index fits = kTileBytes / (kBlock * static_cast<Index>(sizeof(T))) - widest;
    tile_width_ = round_up(std::max({fits, widest, kBlock}), kBlock);
    tiles_ = (width_ + tile_width_ - 1) / tile_width_;
    tile_width_ = round_up((width_ + tiles_ - 1) / tiles_, kBlock);
    blocks_ = (x_.height + kBlock - 1) / kBlock;
  }

  Index tasks() const { return x_.count * blocks_ * tiles_; }

  // Runs task i: emit(plane, y, x, rows, columns, term, tile) for each finished tile, where tile
  // (columns, rows) has a row stride of kBlock.
  template <class Emit>
  void run(Index task, const Emit& emit) {
    const Index plane = task / (blocks_ * tiles_);
    const Index y = task / tiles_ % blocks_ * kBlock;
    const Index begin = task % tiles_ * tile_width_;
    const Index end = std::min(width_, begin + tile_width_);
    if (begin >= end) return;
    const Index rows = std::min(kBlock, x_.height - y);
    auto room = rooms_.take();
    prepare(*room);
    for (std::size_t term = 0; term < vertical_.size(); ++term) {
      const Range range = horizontal_[term].sources(begin, round_up(end, kFirRows));
      first_pass(vertical_[term], plane, y, rows, range, *room);
      second_pass(term, range, rows, begin, end, *room,
                  [&](Index at, Index columns) { emit(plane, y, at, rows, columns, term, *room); });
    }
    rooms_.give(std::move(room));
  }

 private:
  void prepare(Room<T>& room) const {
    if (!room.strip.empty()) return;
    room.strip = Image<T>({kBlock, kStripStride});
    room.columns = Image<T>({most_columns(), kBlock});
    room.tile = Image<T>({kBlock, kBlock});
    room.result = Image<T>({kBlock, kBlock});
  }
  Index most_columns() const {
    Index most = 0;
    for (Index begin = 0; begin < width_; begin += tile_width_) {
      const Index end = round_up(std::min(width_, begin + tile_width_), kFirRows);
      for (const auto& filter : horizontal_) {
        most = std::max(most, filter.sources(begin, end).count);
      }
    }
    return most;
  }

  void first_pass(const AxisFilter<T>& filter, Index plane, Index y, Index rows,
                  const Range& columns, Room<T>& room) const {
    const Range range = filter.sources(y, round_up(y + rows, kFirRows));
    room.rows.clear();
    for (Index i = 0; i < range.count; ++i) {
      room.rows.push_back(x_.row(plane, (range.lo + i) % x_.height));
    }
    // A range that runs past the last column goes on at the first.
    const Index whole = std::min(columns.count, width_ - columns.lo);
    strips(filter, y, rows, range, {columns.lo, whole}, 0, room);
    strips(filter, y, rows, range, {0, columns.count - whole}, whole, room);
  }

  void strips(const AxisFilter<T>& filter, Index y, Index rows, const Range& range,
              const Range& columns, Index slot, Room<T>& room) const {
    T* strip = room.strip.data() + kFirSlack;
    for (Index done = 0; done < columns.count; done += kStrip) {
      const Index begin = columns.lo + done;
      const Index count = std::min(kStrip, columns.count - done);
      const Index next = std::min(kStrip, columns.count - done - count);
      for (Index j = 0; j < rows; j += kFirRows) {
        const auto sums =
            filter.block(y + j, range, room.rows.data(), cval_row_.data(), room.filter);
        kernels::fir_rows(sums, begin, begin + count, strip + j * kStripStride, kStripStride);
        const Index fetched = range.count * j / rows;
        prefetch(room, fetched, range.count * (j + kFirRows) / rows, begin + count, next);
      }
      kernels::transpose(strip, kStripStride, rows, count,
                         room.columns.data() + (slot + done) * kBlock, kBlock);
    }
  }

  // Rows this short are more than the hardware's own prefetching follows.
  static void prefetch(const Room<T>& room, Index first, Index last, Index begin, Index count) {
    last = std::min(last, static_cast<Index>(room.rows.size()));
    for (Index i = first; i < last; ++i) {
      const T* row = room.rows[static_cast<std::size_t>(i)] + begin;
      for (Index k = 0; k < count; k += 64 / sizeof(T)) __builtin_prefetch(row + k, 0, 2);
    }
  }

  template <class Done>
  void second_pass(std::size_t term, const Range& range, Index rows, Index begin, Index end,
                   Room<T>& room, const Done& done) const {
    room.column_rows.clear();
    for (Index i = 0; i < range.count; ++i) {
      room.column_rows.push_back(room.columns.data() + i * kBlock);
    }
    std::array<T, kBlock> side{};
    side.fill(static_cast<T>(sum_.terms[term].side));
    const Index lanes = std::min(kBlock, round_up(rows, 16));
    for (Index x = begin; x < end; x += kBlock) {
      const Index columns = std::min(kBlock, end - x);
      for (Index j = 0; j < columns; j += kFirRows) {
        const auto sums = horizontal_[term].block(x + j, range, room.column_rows.data(),
                                                  side.data(), room.filter);
        kernels::fir_rows(sums, 0, lanes, room.tile.data() + j * kBlock, kBlock);
      }
      done(x, columns);
    }
  }

  const TermSum& sum_;
  Planes<const T> x_;
  Index width_;
  Image<T> cval_row_;
  std::vector<AxisFilter<T>> vertical_;
  std::vector<AxisFilter<T>> horizontal_;
  Index tile_width_ = 0;
  Index tiles_ = 0;
  Index blocks_ = 0;
  Rooms<T> rooms_;
};

template <class T>
double dot_rows(const T* a, const T* b, Index count) {
  std::array<double, 4> sums{};
  Index i = 0;
  for (; i + 4 <= count; i += 4) {
    for (Index k = 0; k < 4; ++k) {
      sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
    }
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

template <class T>
bool apply_terms(const TermSum& sum, const View<const T>& x, bool add, const View<T>& out) {
  if (x.x_stride() != 1) return apply_terms<T>(sum, Image<T>(x).view(), add, out);
  if (!regular_rows(out)) {
    Image<T> packed = add ? Image<T>(View<const T>(out)) : Image<T>(out.shape);
    const bool finite = apply_terms<T>(sum, x, add, packed.view());
    copy<T>(packed, out);
    return finite;
  }
  Passes<T> passes(sum, x);
  const Planes<T> target(out);
  std::atomic<bool> finite{true};
  const bool large =
      sum.terms.size() == 1 && out.shape.elements() * static_cast<Index>(sizeof(T)) >= kStreamBytes;
  const Write first = large ? Write::stream : Write::plain;
  parallel_for(passes.tasks(), sum.execution, [&](Index task) {
    bool good = true;
    passes.run(task, [&](Index plane, Index y, Index at, Index rows, Index columns,
                         std::size_t term, Room<T>& room) {
      T* to = target.row(plane, y) + at;
      const Index stride = rows > 1 ? target.row(plane, y + 1) - target.row(plane, y) : 0;
      good &= kernels::transpose(room.tile.data(), kBlock, columns, rows, to, stride,
                                 add || term > 0 ? Write::add : first);
    });
    if (first == Write::stream) kernels::finish_streams();
    if (!good) finite = false;
  });
  return finite;
}

template <class T>
double dot_terms(const TermSum& sum, const View<const T>& cotangent, const View<const T>& x) {
  if (x.x_stride() != 1) return dot_terms<T>(sum, cotangent, Image<T>(x).view());
  if (cotangent.x_stride() != 1) return dot_terms<T>(sum, Image<T>(cotangent).view(), x);
  Passes<T> passes(sum, x);
  const Planes<const T> weights(cotangent);
  std::vector<double> parts(static_cast<std::size_t>(passes.tasks()));
  parallel_for(passes.tasks(), sum.execution, [&](Index task) {
    double part = 0.0;
    passes.run(task, [&](Index plane, Index y, Index at, Index rows, Index columns, std::size_t,
                         Room<T>& room) {
      kernels::transpose(room.tile.data(), kBlock, columns, rows, room.result.data(), kBlock);
      for (Index j = 0; j < rows; ++j) {
        part += dot_rows(weights.row(plane, y + j) + at, room.result.data() + j * kBlock, columns);
      }
    });
    parts[static_cast<std::size_t>(task)] = part;
  });
  double total = 0.0;
  for (double part : parts) total += part;
  return total;
}

template bool apply_terms(const TermSum&, const View<const float>&, bool, const View<float>&);
template bool apply_terms(const TermSum&, const View<const double>&, bool, const View<double>&);
template double dot_terms(const TermSum&, const View<const float>&, const View<const float>&);
template double dot_terms(const TermSum&, const View<const double>&, const View<const double>&);

}  // namespace blurfield::detail
