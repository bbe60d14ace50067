// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/levels.h"

#include <algorithm>
#include <utility>

#include "blurfield/kernels/adaptive/separable.h"
#include "blurfield/kernels/fir.h"
#include "blurfield/kernels/transpose.h"

namespace blurfield::detail {
namespace {

using kernels::kFirRows;
using kernels::Window1d;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

template <class T>
std::vector<Window1d<T>> windows_of(const LevelFilter<T>& filter) {
  std::vector<Window1d<T>> windows;
  for (Index m = filter.first(); m < filter.end(); ++m) windows.push_back(filter.row(m));
  return windows;
}

// Samples of an axis: those of the filter, or pixels.
template <class T>
Index samples(const LevelFilter<T>& filter) {
  return filter.step() == 1 ? filter.pixels() : filter.count();
}

template <class T>
std::vector<Image<T>> images_of(const LevelGrid<T>& grid, std::size_t planes) {
  std::vector<Image<T>> images(grid.size());
  for (std::size_t i = 0; i < grid.size(); ++i) {
    if (grid.is_image(i)) continue;
    images[i] = Image<T>(
        {static_cast<Index>(planes), 1, samples(grid.axis(i, 0)), samples(grid.axis(i, 1))});
  }
  return images;
}

// Six sums of rows: from weights of a hull of rows, zeros where a sum has none.
template <class T>
class SixSums {
 public:
  void start(const Window& rows) {
    hull_ = rows;
    weights_.assign(at(kFirRows * rows.size()), T{0});
  }
  // Weights of sum j for rows first, first + 1, ...
  void set(Index j, Index first, Index count, const T* weights) {
    std::copy_n(weights, count, weights_.begin() + (j * hull_.size() + first - hull_.begin));
  }
  // `rows` holds the hull's rows; `width` is at least a vector's, else rows are padded.
  void run(const T* const* rows, Index width, T* out, Index stride) const {
    kernels::fir_rows<T>({rows, hull_.size(), weights_.data(), hull_.size(), 0}, 0, width, out,
                         stride);
  }

 private:
  Window hull_;
  std::vector<T> weights_;
};

// Six rows of a level: along y into `rows`, then along x.
template <class T>
class LevelMaker {
 public:
  LevelMaker(const LevelFilter<T>& y, const LevelFilter<T>& x, const std::vector<Window1d<T>>& dots)
      : y_(y), x_(x), dots_(dots), stride_(x.pixels() + kernels::kDotPad) {
    rows_.resize(at(kFirRows * stride_), T{0});
  }

  void make(const View<const T>& src, const Plane& plane, T cval, Index first, Index count,
            const View<T>& level, Index to) {
    if (y_.step() == 1) {
      for (Index j = 0; j < count; ++j) {
        std::copy_n(src.row(plane.n, plane.c, first + j), x_.pixels(), row(j));
        shift(j, cval);
      }
    } else {
      sum(src, plane, cval, first, count);
    }
    for (Index j = 0; j < count; ++j) {
      T* out = level.row(to, 0, first + j - (y_.step() == 1 ? 0 : y_.first()));
      if (x_.step() == 1) {
        std::copy_n(row(j), x_.pixels(), out);
      } else {
        kernels::row_dots(row(j), dots_.data(), x_.count(), out);
      }
    }
  }

 private:
  T* row(Index j) { return rows_.data() + j * stride_; }
  void shift(Index j, T by) {
    if (by != T{0}) std::for_each_n(row(j), x_.pixels(), [by](T& v) { v -= by; });
  }
  void sum(const View<const T>& src, const Plane& plane, T cval, Index first, Index count) {
    Window hull{y_.pixels(), 0};
    for (Index j = 0; j < count; ++j) {
      const Window1d<T> w = y_.row(first + j);
      if (w.count == 0) continue;
      hull = {std::min(hull.begin, w.first), std::max(hull.end, w.first + w.count)};
    }
    if (hull.size() <= 0) hull = {0, 1};
    sums_.start(hull);
    for (Index j = 0; j < count; ++j) {
      const Window1d<T> w = y_.row(first + j);
      sums_.set(j, w.first, w.count, w.weights);
    }
    pointers_.clear();
    for (Index i = hull.begin; i < hull.end; ++i) {
      pointers_.push_back(src.row(plane.n, plane.c, i));
    }
    sums_.run(pointers_.data(), x_.pixels(), rows_.data(), stride_);
    for (Index j = 0; j < count && cval != T{0}; ++j) {
      const Window1d<T> w = y_.row(first + j);
      T mass = 0;
      for (Index k = 0; k < w.count; ++k) mass += w.weights[k];
      shift(j, cval * mass);
    }
  }

  const LevelFilter<T>& y_;
  const LevelFilter<T>& x_;
  const std::vector<Window1d<T>>& dots_;
  Index stride_;
  std::vector<T> rows_;
  std::vector<const T*> pointers_;
  SixSums<T> sums_;
};

// Where samples begin..end-1 of an axis are read: f(offset, index, count) for runs, index along the
// axis' memory, -1 for zeros.
template <class T, class F>
void for_runs(const LevelFilter<T>& axis, Mode mode, const Window& window, const F& f) {
  if (axis.step() != 1) {
    f(0, window.begin - axis.first(), window.size());
    return;
  }
  const Index n = axis.pixels();
  for (Index i = window.begin; i < window.end;) {
    const bool inside = i >= 0 && i < n;
    const Index count = inside ? std::min(window.end, n) - i : 1;
    f(i - window.begin, inside ? i : extend(i, n, mode), count);
    i += count;
  }
}

// The transpose of one axis: pixels in sixes as sums of samples.
template <class T>
class Spreading {
 public:
  explicit Spreading(const LevelFilter<T>& filter) : idle_(filter.step() == 1) {
    const Index n = filter.pixels();
    if (idle_) return;
    sixes_.resize(at((n + kFirRows - 1) / kFirRows));
    for (Index m = filter.first(); m < filter.end(); ++m) {
      const Window1d<T> w = filter.row(m);
      for (Index k = 0; k < w.count; ++k) {
        if (w.weights[k] == T{0}) continue;
        const Index pixel = w.first + k;
        Six& six = sixes_[at(pixel / kFirRows)];
        if (six.samples.empty() || six.samples.back() != m - filter.first()) {
          six.samples.push_back(m - filter.first());
          six.weights.resize(six.weights.size() + at(kFirRows), T{0});
        }
        six.weights[at(kFirRows * static_cast<Index>(six.samples.size() - 1) + pixel % kFirRows)] =
            w.weights[k];
      }
    }
    for (Six& six : sixes_) six.turn();
  }

  bool idle() const { return idle_; }
  // Pixels first..first+5, first a multiple of six; samples stand `stride` apart.
  void run(Index first, const T* samples, Index stride, Index width, T* out, Index out_stride,
           std::vector<const T*>& pointers) const {
    const Six& six = sixes_[at(first / kFirRows)];
    pointers.clear();
    for (Index m : six.samples) pointers.push_back(samples + m * stride);
    const auto count = static_cast<Index>(pointers.size());
    kernels::fir_rows<T>({pointers.data(), count, six.weights.data(), count, 0}, 0, width, out,
                         out_stride);
  }

 private:
  struct Six {
    std::vector<Index> samples;
    std::vector<T> weights;
    void turn() {  // from six weights per sample to the weights of six sums
      const std::size_t count = samples.size();
      std::vector<T> turned(weights.size());
      for (std::size_t i = 0; i < weights.size(); ++i) {
        turned[i % at(kFirRows) * count + i / at(kFirRows)] = weights[i];
      }
      weights = std::move(turned);
    }
  };
  bool idle_;
  std::vector<Six> sixes_;
};

constexpr Index kTaskRows = 8 * kFirRows;
constexpr Index kTaskColumns = 16 * kFirRows;

// Adds a transposed level to rows begin..end-1 of an image, at most kTaskRows.
template <class T>
class LevelAdder {
 public:
  LevelAdder(const Spreading<T>& y, const Spreading<T>& x) : y_(y), x_(x) {}

  void add(const View<const T>& level, Index plane, Index begin, Index end, const View<T>& out,
           const Plane& to) {
    const Index columns = level.width();
    const Index rows = end - begin;
    rows_.resize(at(kTaskRows * columns));
    if (y_.idle()) {
      std::copy_n(level.row(plane, 0, begin), rows * columns, rows_.begin());
    } else {
      for (Index y = begin; y < end; y += kFirRows) {
        y_.run(y, level.row(plane, 0, 0), columns, columns, rows_.data() + (y - begin) * columns,
               columns, pointers_);
      }
    }
    if (x_.idle()) {
      for (Index j = 0; j < rows; ++j) {
        kernels::accumulate_row(rows_.data() + j * columns, columns,
                                out.row(to.n, to.c, begin + j));
      }
      return;
    }
    turned_.resize(at(columns * kTaskRows));
    chunk_.resize(at(kTaskColumns * kTaskRows));
    kernels::transpose(rows_.data(), columns, rows, columns, turned_.data(), kTaskRows);
    for (Index x = 0; x < out.width(); x += kTaskColumns) {
      const Index last = std::min(out.width(), x + kTaskColumns);
      for (Index i = x; i < last; i += kFirRows) {
        x_.run(i, turned_.data(), kTaskRows, kTaskRows, chunk_.data() + (i - x) * kTaskRows,
               kTaskRows, pointers_);
      }
      kernels::transpose(chunk_.data(), kTaskRows, last - x, rows, out.row(to.n, to.c, begin) + x,
                         out.y_stride(), kernels::Write::add);
    }
  }

 private:
  const Spreading<T>& y_;
  const Spreading<T>& x_;
  std::vector<T> rows_, turned_, chunk_;
  std::vector<const T*> pointers_;
};

// Progress is told by the passes that read levels.
Execution quiet(const Execution& execution) { return {execution.threads, {}}; }

}  // namespace

template <class T>
LevelGrid<T>::LevelGrid(Index height, Index width, Mode mode, const Ladder& ladder,
                        std::vector<LevelRequest> requests)
    : frame_{height, width}, mode_(mode) {
  for (const LevelRequest& r : requests) {
    levels_.push_back({LevelFilter<T>(height, mode, ladder, r.step[0], r.beyond[0]),
                       LevelFilter<T>(width, mode, ladder, r.step[1], r.beyond[1])});
  }
}

template <class T>
std::size_t level_bytes(Index height, Index width, std::span<const LevelRequest> requests) {
  std::size_t sum = 0;
  for (const LevelRequest& r : requests) {
    if (r.is_image()) continue;
    sum += at(LevelFilter<T>::samples(height, r.step[0], r.beyond[0]) *
              LevelFilter<T>::samples(width, r.step[1], r.beyond[1])) *
           sizeof(T);
  }
  return sum;
}

template <class T>
Levels<T>::Levels(const LevelGrid<T>& grid, const View<const T>& src, std::span<const Plane> planes,
                  double cval, const Execution& execution)
    : grid_(grid),
      src_(src),
      planes_(planes.begin(), planes.end()),
      cval_(static_cast<T>(cval)),
      levels_(images_of(grid, planes.size())) {
  for (std::size_t i = 0; i < grid.size(); ++i) {
    if (grid.is_image(i)) continue;
    const LevelFilter<T>& y = grid.axis(i, 0);
    const LevelFilter<T>& x = grid.axis(i, 1);
    const std::vector<Window1d<T>> dots = windows_of(x);
    const Index first = y.step() == 1 ? 0 : y.first();
    const Index end = first + samples(y);
    const Index tasks = (end - first + kTaskRows - 1) / kTaskRows;
    parallel_for(tasks * static_cast<Index>(planes.size()), quiet(execution), [&](Index task) {
      const Index plane = task / tasks;
      LevelMaker<T> maker(y, x, dots);
      const Index begin = first + task % tasks * kTaskRows;
      for (Index m = begin; m < std::min(end, begin + kTaskRows); m += kFirRows) {
        maker.make(src_, planes_[at(plane)], cval_, m, std::min(kFirRows, end - m),
                   levels_[i].view(), plane);
      }
    });
  }
}

template <class T>
void Levels<T>::pack(std::size_t i, std::size_t plane, const Window& y, const Window& x, T* block,
                     Index stride) const {
  const bool image = grid_.is_image(i);
  for_runs(grid_.axis(i, 0), grid_.mode(), y, [&](Index offset, Index first, Index count) {
    for (Index j = 0; j < count; ++j) {
      T* to = block + (offset + j) * stride;
      if (first < 0) {
        std::fill_n(to, x.size(), T{0});
        continue;
      }
      const T* row =
          image ? src_.row(planes_[plane].n, planes_[plane].c, first + j)
                : std::as_const(levels_[i]).view().row(static_cast<Index>(plane), 0, first + j);
      for_runs(grid_.axis(i, 1), grid_.mode(), x, [&](Index at_x, Index from, Index run) {
        if (from < 0) {
          std::fill_n(to + at_x, run, T{0});
        } else {
          std::copy_n(row + from, run, to + at_x);
          if (image && cval_ != T{0}) {
            std::for_each_n(to + at_x, run, [&](T& v) { v -= cval_; });
          }
        }
      });
    }
  });
}

template <class T>
LevelSums<T>::LevelSums(const LevelGrid<T>& grid, const View<T>& out, std::span<const Plane> planes)
    : grid_(grid),
      out_(out),
      planes_(planes.begin(), planes.end()),
      levels_(images_of(grid, planes.size())) {}

template <class T>
void LevelSums<T>::unpack(std::size_t i, std::size_t plane, const Window& y, const Window& x,
                          const T* block, Index stride) {
  const bool image = grid_.is_image(i);
  for_runs(grid_.axis(i, 0), grid_.mode(), y, [&](Index offset, Index first, Index count) {
    if (first < 0) return;
    for (Index j = 0; j < count; ++j) {
      const T* from = block + (offset + j) * stride;
      T* row = image ? out_.row(planes_[plane].n, planes_[plane].c, first + j)
                     : levels_[i].view().row(static_cast<Index>(plane), 0, first + j);
      for_runs(grid_.axis(i, 1), grid_.mode(), x, [&](Index at_x, Index to, Index run) {
        for (Index k = 0; to >= 0 && k < run; ++k) row[to + k] += from[at_x + k];
      });
    }
  });
}

template <class T>
void LevelSums<T>::finish(const Execution& execution) {
  const Index height = grid_.frame()[0];
  const Index tasks = (height + kTaskRows - 1) / kTaskRows;
  for (std::size_t i = 0; i < grid_.size(); ++i) {
    if (grid_.is_image(i)) continue;
    const Spreading<T> y(grid_.axis(i, 0));
    const Spreading<T> x(grid_.axis(i, 1));
    parallel_for(tasks * static_cast<Index>(planes_.size()), quiet(execution), [&](Index task) {
      LevelAdder<T> adder(y, x);
      const Index plane = task / tasks;
      const Index begin = task % tasks * kTaskRows;
      adder.add(std::as_const(levels_[i]).view(), plane, begin, std::min(height, begin + kTaskRows),
                out_, planes_[at(plane)]);
    });
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                    \
  template std::size_t level_bytes<T>(Index, Index, std::span<const LevelRequest>); \
  template class LevelGrid<T>;                                                      \
  template class Levels<T>;                                                         \
  template class LevelSums<T>
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
