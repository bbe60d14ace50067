// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/local_filter.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "blurfield/base/image.h"
#include "blurfield/kernels/row_products.h"
#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/convolution/window.h"

namespace blurfield::detail {
namespace {

using blurfield::kernels::sum_products;

constexpr Index kRows = 8;  // of a tile
constexpr Index kColumns = 1024;
constexpr Index kPlanes = 8;  // that are done while a tile's weights are in the cache
constexpr Index kTaps = 8;    // in one go along a row: as many streams as prefetchers follow well
constexpr Index kRun = 64;    // taps summed before they join the total: bounds the rounding

struct Rectangle {
  Index y, x, height, width;
};

std::vector<Rectangle> tiles_of(const Rectangle& whole) {
  std::vector<Rectangle> tiles;
  for (Index y = 0; y < whole.height; y += kRows) {
    for (Index x = 0; x < whole.width; x += kColumns) {
      tiles.push_back({whole.y + y, whole.x + x, std::min(kRows, whole.height - y),
                       std::min(kColumns, whole.width - x)});
    }
  }
  return tiles;
}

// `count` pixels side by side: where they lie, or copied to `scratch`.
template <class T>
const T* packed(const T* row, Index stride, Index count, T* scratch) {
  if (stride == 1) return row;
  for (Index i = 0; i < count; ++i) scratch[i] = row[i * stride];
  return scratch;
}

// Stores a row, or adds it to what is there.
template <class T>
void put(const T* row, Index count, bool add, T* to, Index stride) {
  if (!add && stride == 1) {
    std::copy_n(row, count, to);
    return;
  }
  for (Index i = 0; i < count; ++i) to[i * stride] = (add ? to[i * stride] : T{0}) + row[i];
}

template <class T>
std::unique_ptr<T[]> room(Index count) {
  return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(count));
}

// Sums of products along rows, one row per plane, cut into runs of about kRun taps.
template <class T>
class RowSums {
 public:
  RowSums(Index planes, Index width)
      : size_(planes * width), width_(width), run_(room<T>(size_)), total_(room<T>(size_)) {}

  void start() {
    std::fill_n(run_.get(), size_, T{0});
    taps_ = 0;
    runs_ = 0;
  }
  // Adds `count` products to columns begin..end-1 of a plane's row.
  void add(Index plane, const T* const* a, const T* const* b, Index count, Index begin, Index end) {
    sum_products(a, b, count, end - begin, true, run_.get() + plane * width_ + begin);
  }
  // Tells that so many taps were added to every plane.
  void count(Index taps) {
    taps_ += taps;
    if (taps_ < kRun) return;
    finish();
    std::fill_n(run_.get(), size_, T{0});
    taps_ = 0;
  }
  void finish() {
    if (runs_++ == 0) return run_.swap(total_);
    for (Index i = 0; i < size_; ++i) total_[i] += run_[i];
  }
  // Writes a plane's row to `to`, or adds it; returns whether it is finite.
  bool write(Index plane, bool add, T* to, Index stride) const {
    const T* row = total_.get() + plane * width_;
    put(row, width_, add, to, stride);
    return all_finite(row, width_, 1);
  }

 private:
  Index size_;
  Index width_;
  Index taps_ = 0;
  Index runs_ = 0;
  std::unique_ptr<T[]> run_;
  std::unique_ptr<T[]> total_;
};

// The planes `first`.. of a set, extended, as far as a tile's kernels see them.
template <class T>
class Windows {
 public:
  Windows(const LocalKernels<T>& kernels, const View<const T>& x, const Extension& extension,
          Index set, Index first, Index count, const Rectangle& tile)
      : step_(tile.width + kernels.kw - 1),
        size_(step_ * (tile.height + kernels.kh - 1)),
        kw_(kernels.kw),
        pixels_(room<T>(size_ * count)) {
    for (Index i = 0; i < count; ++i) {
      const Plane<T> plane(x, kernels.batch(set, first + i), (first + i) % kernels.channels);
      read_window<T>(plane, extension, {tile.y - kernels.top(), 1, tile.height + kernels.kh - 1},
                     {tile.x - kernels.left(), 1, step_}, pixels_.get() + i * size_, step_);
    }
  }
  // What a tap sees from the first pixel of the tile's row y on.
  const T* row(Index plane, Index y, Index tap) const {
    return pixels_.get() + plane * size_ + (y + tap / kw_) * step_ + tap % kw_;
  }

 private:
  Index step_;
  Index size_;
  Index kw_;
  std::unique_ptr<T[]> pixels_;
};

// Calls body(set, first plane, planes, item) for all sets, all items 0..count-1 and all planes of a
// set, at most kPlanes at once: items of sets in parallel, planes one after the other.
template <class T, class Body>
void for_each_block(const LocalKernels<T>& kernels, std::size_t count, const Execution& execution,
                    const Body& body) {
  const auto items = static_cast<Index>(count);
  parallel_for(kernels.sets() * items, execution, [&](Index task) {
    for (Index first = 0; first < kernels.planes; first += kPlanes) {
      body(task / items, first, std::min(kPlanes, kernels.planes - first),
           static_cast<std::size_t>(task % items));
    }
  });
}

// The sums of row y of a tile.
template <class T>
void sum_row(const LocalKernels<T>& kernels, const Windows<T>& windows, Index set, Index planes,
             const Rectangle& tile, Index y, T* scratch, RowSums<T>& sums) {
  std::array<const T*, kTaps> a{};
  std::array<const T*, kTaps> b{};
  const View<const T>& w = kernels.weights;
  const Index all = kernels.kh * kernels.kw;
  const Index groups = (all + kTaps - 1) / kTaps;
  sums.start();
  for (Index group = 0; group < groups; ++group) {
    const Index first = group * all / groups;
    const Index taps = (group + 1) * all / groups - first;
    for (Index t = 0; t < taps; ++t) {
      a[t] = packed(&w.at(set, first + t, tile.y + y, tile.x), w.x_stride(), tile.width,
                    scratch + t * tile.width);
    }
    for (Index plane = 0; plane < planes; ++plane) {
      for (Index t = 0; t < taps; ++t) b[t] = windows.row(plane, y, first + t);
      sums.add(plane, a.data(), b.data(), taps, 0, tile.width);
    }
    sums.count(taps);
  }
  sums.finish();
}

// What tile of the extended plane the kernels spread a cotangent to: the adjoint to x before
// folding. `out` holds the part of the extended plane that begins at (y0, x0).
template <class T>
struct Spread {
  const LocalKernels<T>& kernels;
  View<const T> cotangent;
  Rectangle tile;
  View<T> out;
  Index y0;
  Index x0;

  // Returns whether all of it is finite.
  bool run(Index set, Index first, Index planes) const {
    RowSums<T> sums(planes, tile.width);
    const auto weights = room<T>(kTaps * tile.width);
    const auto rows = room<T>(planes * (tile.width + kernels.kw - 1));
    bool finite = true;
    for (Index y = tile.y; y < tile.y + tile.height; ++y) {
      sums.start();
      for (Index i = 0; i < kernels.kh; ++i) {
        const Index from = y - i + kernels.top();
        if (from < 0 || from >= kernels.height()) continue;
        add_row(set, first, planes, from, i, weights.get(), rows.get(), sums);
      }
      sums.finish();
      for (Index plane = 0; plane < planes; ++plane) {
        T* to = kernels.row(out, set, first + plane, y - y0) + (tile.x - x0) * out.x_stride();
        finite = sums.write(plane, false, to, out.x_stride()) && finite;
      }
    }
    return finite;
  }

 private:
  // Adds what row `from` of the cotangent gives by the taps (i, 0..kw-1).
  void add_row(Index set, Index first, Index planes, Index from, Index i, T* weight_room,
               T* row_room, RowSums<T>& sums) const {
    const Index low = std::max<Index>(0, tile.x + kernels.left() - kernels.kw + 1);
    const Index high = std::min(kernels.width(), tile.x + tile.width + kernels.left());
    if (low >= high) return;
    std::array<const T*, kPlanes> rows{};
    for (Index plane = 0; plane < planes; ++plane) {
      const T* row = kernels.row(cotangent, set, first + plane, from);
      rows[plane] = packed(row + low * cotangent.x_stride(), cotangent.x_stride(), high - low,
                           row_room + plane * (tile.width + kernels.kw - 1));
    }
    for (Index j = 0; j < kernels.kw; j += kTaps) {
      const Index taps = std::min(kTaps, kernels.kw - j);
      add_taps(set, planes, from, i * kernels.kw + j, taps, low, rows, weight_room, sums);
      sums.count(taps);
    }
  }

  // The same by `taps` taps from `first` on, from rows that begin at column `low`. Tap j of a row
  // reaches column x of the extended plane from column x - (j - left).
  void add_taps(Index set, Index planes, Index from, Index first, Index taps, Index low,
                const std::array<const T*, kPlanes>& rows, T* weight_room, RowSums<T>& sums) const {
    const View<const T>& w = kernels.weights;
    std::array<Index, kTaps> shift{};
    std::array<Index, kTaps> begin{};  // columns reached
    std::array<Index, kTaps> end{};
    std::array<const T*, kTaps> weights{};
    for (Index t = 0; t < taps; ++t) {
      shift[t] = (first + t) % kernels.kw - kernels.left();
      begin[t] = std::clamp(shift[t], tile.x, tile.x + tile.width);
      end[t] = std::clamp(kernels.width() + shift[t], begin[t], tile.x + tile.width);
      const T* row = w.row(set, first + t, from) + (begin[t] - shift[t]) * w.x_stride();
      weights[t] = packed(row, w.x_stride(), end[t] - begin[t], weight_room + t * tile.width);
    }
    const auto add = [&](Index plane, Index t0, Index count, Index from_x, Index to_x) {
      if (from_x >= to_x) return;
      std::array<const T*, kTaps> a{};
      std::array<const T*, kTaps> b{};
      for (Index t = 0; t < count; ++t) {
        a[t] = weights[t0 + t] + (from_x - begin[t0 + t]);
        b[t] = rows[plane] + (from_x - shift[t0 + t] - low);
      }
      sums.add(plane, a.data(), b.data(), count, from_x - tile.x, to_x - tile.x);
    };
    // The columns that all taps reach, then the margins of each.
    const Index all_begin = begin[taps - 1];
    const Index all_end = std::max(all_begin, end[0]);
    for (Index plane = 0; plane < planes; ++plane) {
      add(plane, 0, taps, all_begin, all_end);
      for (Index t = 0; t < taps; ++t) {
        add(plane, t, 1, begin[t], std::min(all_begin, end[t]));
        add(plane, t, 1, all_end, end[t]);
      }
    }
  }
};

}  // namespace

template <class T>
bool local_sums(const LocalKernels<T>& kernels, const View<const T>& x, const Extension& extension,
                bool add, const View<T>& out, const Execution& execution) {
  const auto tiles = tiles_of({0, 0, kernels.height(), kernels.width()});
  std::atomic<bool> finite{true};
  const auto sum_tile = [&](Index set, Index first, Index planes, std::size_t item) {
    const Rectangle& tile = tiles[item];
    const Windows<T> windows(kernels, x, extension, set, first, planes, tile);
    const auto scratch = room<T>(kTaps * tile.width);
    RowSums<T> sums(planes, tile.width);
    for (Index y = 0; y < tile.height; ++y) {
      sum_row(kernels, windows, set, planes, tile, y, scratch.get(), sums);
      for (Index plane = 0; plane < planes; ++plane) {
        T* to = kernels.row(out, set, first + plane, tile.y + y) + tile.x * out.x_stride();
        if (!sums.write(plane, add, to, out.x_stride())) finite = false;
      }
    }
  };
  for_each_block(kernels, tiles.size(), execution, sum_tile);
  return finite;
}

template <class T>
bool local_adjoint(const LocalKernels<T>& kernels, const View<const T>& cotangent, Mode mode,
                   const View<T>& grad, const Execution& execution) {
  // The extended plane in five parts; the four around the frame are folded onto it.
  const Index height = kernels.height();
  const Index width = kernels.width();
  const Index bottom = kernels.kh - 1 - kernels.top();
  const Index right = kernels.kw - 1 - kernels.left();
  const Index across = width + kernels.kw - 1;
  const std::array<Rectangle, 4> around{{{-kernels.top(), -kernels.left(), kernels.top(), across},
                                         {height, -kernels.left(), bottom, across},
                                         {0, -kernels.left(), height, kernels.left()},
                                         {0, width, height, right}}};
  std::array<Image<T>, 4> borders;
  std::vector<Spread<T>> parts;
  const auto add_part = [&](const Rectangle& part, const View<T>& out) {
    for (const Rectangle& tile : tiles_of(part)) {
      parts.push_back({kernels, cotangent, tile, out, part.y, part.x});
    }
  };
  add_part({0, 0, height, width}, grad);
  for (std::size_t i = 0; i < around.size(); ++i) {
    borders[i] = Image<T>({grad.shape[0], grad.shape[1], around[i].height, around[i].width});
    add_part(around[i], borders[i]);
  }
  std::atomic<bool> finite{true};
  const auto run = [&](Index set, Index first, Index planes, std::size_t item) {
    if (!parts[item].run(set, first, planes)) finite = false;
  };
  for_each_block(kernels, parts.size(), execution, run);
  Execution quick;
  quick.threads = execution.threads;
  parallel_for(grad.batch() * grad.channels(), quick, [&](Index plane) {
    const Index n = plane / grad.channels();
    const Index c = plane % grad.channels();
    for (std::size_t i = 0; i < around.size(); ++i) {
      const Rectangle& part = around[i];
      if (borders[i].elements() == 0) continue;
      add_window<T>(borders[i].view().row(n, c, 0), part.width, {part.y, 1, part.height},
                    {part.x, 1, part.width}, mode, height, width, grad.row(n, c, 0),
                    grad.y_stride(), grad.x_stride());
    }
  });
  return finite;
}

template <class T>
void local_weight_gradient(const LocalKernels<T>& kernels, const View<const T>& x,
                           const Extension& extension, const View<const T>& cotangent,
                           const View<T>& grad, const Execution& execution) {
  const auto tiles = tiles_of({0, 0, kernels.height(), kernels.width()});
  const auto sum_tile = [&](Index set, Index first, Index planes, std::size_t item) {
    const Rectangle& tile = tiles[item];
    const Windows<T> windows(kernels, x, extension, set, first, planes, tile);
    const auto scratch = room<T>((kPlanes + 1) * tile.width);
    T* sum = scratch.get() + kPlanes * tile.width;
    std::array<const T*, kPlanes> a{};
    std::array<const T*, kPlanes> b{};
    for (Index y = 0; y < tile.height; ++y) {
      for (Index plane = 0; plane < planes; ++plane) {
        const T* row = kernels.row(cotangent, set, first + plane, tile.y + y);
        a[plane] = packed(row + tile.x * cotangent.x_stride(), cotangent.x_stride(), tile.width,
                          scratch.get() + plane * tile.width);
      }
      for (Index tap = 0; tap < kernels.kh * kernels.kw; ++tap) {
        for (Index plane = 0; plane < planes; ++plane) {
          b[plane] = windows.row(plane, y, tap);
        }
        T* to = &grad.at(set, tap, tile.y + y, tile.x);
        const bool direct = first == 0 && grad.x_stride() == 1;
        sum_products(a.data(), b.data(), planes, tile.width, false, direct ? to : sum);
        if (!direct) put(sum, tile.width, first > 0, to, grad.x_stride());
      }
    }
  };
  for_each_block(kernels, tiles.size(), execution, sum_tile);
}

#define BLURFIELD_INSTANTIATE(T)                                                                  \
  template bool local_sums(const LocalKernels<T>&, const View<const T>&, const Extension&, bool,  \
                           const View<T>&, const Execution&);                                     \
  template bool local_adjoint(const LocalKernels<T>&, const View<const T>&, Mode, const View<T>&, \
                              const Execution&);                                                  \
  template void local_weight_gradient(const LocalKernels<T>&, const View<const T>&,               \
                                      const Extension&, const View<const T>&, const View<T>&,     \
                                      const Execution&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
