// SPDX-License-Identifier: BSD-3-Clause
#include <cblas.h>

#include <algorithm>
#include <memory>

#include "blurfield/ops/detail/convolution/correlation.h"
#include "blurfield/ops/detail/convolution/gemm_panels.h"
#include "blurfield/ops/detail/convolution/window.h"

namespace blurfield::detail {
namespace {

// A row-major matrix: packed rows, `step` elements apart.
template <class T>
struct Matrix {
  T* data;
  Index rows;
  Index columns;
  Index step;
};

// c += a b, or a b^T.
void multiply_add(const Matrix<const float>& a, const Matrix<const float>& b, CBLAS_TRANSPOSE turn,
                  const Matrix<float>& c) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, turn, static_cast<blasint>(c.rows),
              static_cast<blasint>(c.columns), static_cast<blasint>(a.columns), 1.0F, a.data,
              static_cast<blasint>(a.step), b.data, static_cast<blasint>(b.step), 1.0F, c.data,
              static_cast<blasint>(c.step));
}
void multiply_add(const Matrix<const double>& a, const Matrix<const double>& b,
                  CBLAS_TRANSPOSE turn, const Matrix<double>& c) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, turn, static_cast<blasint>(c.rows),
              static_cast<blasint>(c.columns), static_cast<blasint>(a.columns), 1.0, a.data,
              static_cast<blasint>(a.step), b.data, static_cast<blasint>(b.step), 1.0, c.data,
              static_cast<blasint>(c.step));
}

// out += m in, or m^T in: for a single kernel, where a matrix product would be slow.
void multiply_add(const Matrix<const float>& m, CBLAS_TRANSPOSE turn, const float* in, float* out) {
  cblas_sgemv(CblasRowMajor, turn, static_cast<blasint>(m.rows), static_cast<blasint>(m.columns),
              1.0F, m.data, static_cast<blasint>(m.step), in, 1, 1.0F, out, 1);
}
void multiply_add(const Matrix<const double>& m, CBLAS_TRANSPOSE turn, const double* in,
                  double* out) {
  cblas_dgemv(CblasRowMajor, turn, static_cast<blasint>(m.rows), static_cast<blasint>(m.columns),
              1.0, m.data, static_cast<blasint>(m.step), in, 1, 1.0, out, 1);
}

// A rectangle of output pixels.
struct Tile {
  Index y, x, height, width;
  Index pixels() const { return height * width; }
};

// The tiles of an output, row by row.
struct Tiling {
  Index height, width;  // of the output
  GemmPanels panels;

  Index columns() const { return (width + panels.width - 1) / panels.width; }
  Index count() const { return (height + panels.height - 1) / panels.height * columns(); }
  Index pixels() const { return panels.height * panels.width; }  // of a whole tile
  Tile operator[](Index i) const {
    const Index y = i / columns() * panels.height;
    const Index x = i % columns() * panels.width;
    return {y, x, std::min(panels.height, height - y), std::min(panels.width, width - x)};
  }
};

// Of one kernel of a group.
template <class T>
Index taps_of(const Correlation<T>& job) {
  return job.inputs() * job.y_axis.taps * job.x_axis.taps;
}

template <class T>
Tiling tiling_of(const Correlation<T>& job) {
  return {job.y_axis.out, job.x_axis.out,
          gemm_panels(job.outputs(), taps_of(job), job.y_axis.out, job.x_axis.out)};
}

// Room for `count` elements, not initialized.
template <class T>
std::unique_ptr<T[]> room(Index count) {
  return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(count));
}

// Copies rows begin..end-1 of group g's im2col matrix (tap (i, j) of channel c in row
// (c kh + i) kw + j) at the tile's pixels.
template <class T>
void pack(const Correlation<T>& job, Index n, Index g, const Tile& tile, Index begin, Index end,
          T* panel) {
  const CorrelationAxis& ys = job.y_axis;
  const CorrelationAxis& xs = job.x_axis;
  for (Index row = begin; row < end;) {
    const Index i = row / xs.taps % ys.taps;
    const Plane<T> plane(job.x, n, g * job.inputs() + row / xs.taps / ys.taps);
    const Positions rows{ys.first(tile.y) + i * ys.dilation, ys.stride, tile.height};
    const Index first = row % xs.taps;
    const Index last = std::min(xs.taps, first + end - row);
    row += last - first;
    for (Index j = first; j < last; ++j) {
      read_window<T>(plane, job.extension, rows,
                     {xs.first(tile.x) + j * xs.dilation, xs.stride, tile.width}, panel,
                     tile.width);
      panel += tile.pixels();
    }
  }
}

// Copies `count` channels of a tile, from c0 on, to packed rows.
template <class T>
void read_tile(const View<const T>& image, Index n, Index c0, Index count, const Tile& tile,
               T* to) {
  for (Index c = c0; c < c0 + count; ++c) {
    for (Index y = tile.y; y < tile.y + tile.height; ++y, to += tile.width) {
      const T* from = image.row(n, c, y) + tile.x * image.x_stride();
      if (image.x_stride() == 1) {
        std::copy_n(from, tile.width, to);
      } else {
        for (Index x = 0; x < tile.width; ++x) to[x] = from[x * image.x_stride()];
      }
    }
  }
}
template <class T>
void write_tile(const T* from, Index n, Index c0, Index count, const Tile& tile,
                const View<T>& image) {
  for (Index c = c0; c < c0 + count; ++c) {
    for (Index y = tile.y; y < tile.y + tile.height; ++y, from += tile.width) {
      T* to = image.row(n, c, y) + tile.x * image.x_stride();
      if (image.x_stride() == 1) {
        std::copy_n(from, tile.width, to);
      } else {
        for (Index x = 0; x < tile.width; ++x) to[x * image.x_stride()] = from[x];
      }
    }
  }
}

// sums (K x pixels) += weights (K x taps) panel (taps x pixels); rows of weights `step` apart.
template <class T>
void add_product(const T* weights, Index step, Index outputs, Index per_call,
                 const Matrix<const T>& panel, T* sums) {
  if (outputs == 1) return multiply_add(panel, CblasTrans, weights, sums);
  for (Index k = 0; k < outputs; k += per_call) {
    const Index rows = std::min(per_call, outputs - k);
    multiply_add({weights + k * step, rows, panel.rows, step}, panel, CblasNoTrans,
                 {sums + k * panel.columns, rows, panel.columns, panel.columns});
  }
}

// sums (K x taps) += cotangent (K x pixels) panel^T.
template <class T>
void add_product_by(const T* cotangent, Index outputs, Index per_call, const Matrix<const T>& panel,
                    T* sums) {
  if (outputs == 1) return multiply_add(panel, CblasNoTrans, cotangent, sums);
  for (Index k = 0; k < outputs; k += per_call) {
    const Index rows = std::min(per_call, outputs - k);
    multiply_add({cotangent + k * panel.columns, rows, panel.columns, panel.columns}, panel,
                 CblasTrans, {sums + k * panel.rows, rows, panel.rows, panel.rows});
  }
}

// The outputs of a group at a tile. The panels' products are summed in runs, so that rounding grows
// with the number of runs.
template <class T>
class TileSums {
 public:
  TileSums(const Correlation<T>& job, const Tiling& tiling)
      : job_(job),
        panels_(tiling.panels),
        taps_(taps_of(job)),
        panel_(room<T>(panels_.taps * tiling.pixels())),
        run_(room<T>(job.outputs() * tiling.pixels())),
        total_(room<T>(job.outputs() * tiling.pixels())) {}

  // K rows of the tile's pixels.
  const T* sum(Index n, Index g, const Tile& tile) {
    constexpr Index kRun = 16;
    const Index size = job_.outputs() * tile.pixels();
    const T* weights = job_.kernels.data + g * job_.kernels.stride[0];
    std::fill_n(run_.get(), size, T{0});
    std::fill_n(total_.get(), taps_ > kRun * panels_.taps ? size : 0, T{0});
    for (Index tap = 0; tap < taps_; tap += panels_.taps) {
      if (tap > 0 && tap / panels_.taps % kRun == 0) flush(size);
      const Index count = std::min(panels_.taps, taps_ - tap);
      pack(job_, n, g, tile, tap, tap + count, panel_.get());
      add_product<T>(weights + tap, taps_, job_.outputs(), panels_.outputs,
                     {panel_.get(), count, tile.pixels(), tile.pixels()}, run_.get());
    }
    if (taps_ <= kRun * panels_.taps) return run_.get();
    flush(size);
    return total_.get();
  }

 private:
  void flush(Index size) {
    for (Index i = 0; i < size; ++i) total_[i] += run_[i];
    std::fill_n(run_.get(), size, T{0});
  }

  const Correlation<T>& job_;
  const GemmPanels& panels_;
  Index taps_;
  std::unique_ptr<T[]> panel_;
  std::unique_ptr<T[]> run_;
  std::unique_ptr<T[]> total_;
};

}  // namespace

template <class T>
void correlate_gemm(const Correlation<T>& job) {
  const Tiling tiling = tiling_of(job);
  const Index outputs = job.outputs();
  // Tiles in a task: enough that its scratch memory does not matter.
  constexpr double kTask = 4e6;
  const double work =
      static_cast<double>(tiling.pixels() * outputs) * static_cast<double>(taps_of(job));
  const Index run = std::clamp<Index>(static_cast<Index>(kTask / work), 1, tiling.count());
  const Index tasks = (tiling.count() + run - 1) / run;
  parallel_for(job.x.batch() * job.groups() * tasks, job.execution, [&](Index task) {
    const Index n = task / tasks / job.groups();
    const Index g = task / tasks % job.groups();
    const Index first = task % tasks * run;
    TileSums<T> sums(job, tiling);
    for (Index i = first; i < std::min(first + run, tiling.count()); ++i) {
      write_tile(sums.sum(n, g, tiling[i]), n, g * outputs, outputs, tiling[i], job.out);
    }
  });
}

namespace {

// Sums the gradient by some taps of one group over some of its items: an item is a tile of a batch
// (and, where groups share kernels, of one of the groups).
template <class T>
class GradientPart {
 public:
  GradientPart(const KernelGradient<T>& gradient, const Tiling& tiling)
      : gradient_(gradient),
        job_(gradient.job),
        tiling_(tiling),
        shared_(job_.kernels.stride[0] == 0) {}

  Index items() const { return job_.x.batch() * (shared_ ? job_.groups() : 1) * tiling_.count(); }

  // Adds items first..last-1 to the gradient by taps begin..begin+count-1, K rows.
  void add(Index group, Index begin, Index count, Index first, Index last, double* grad,
           const Tick& tick) const {
    const Index outputs = job_.outputs();
    const auto panel = room<T>(count * tiling_.pixels());
    const auto cotangent = room<T>(outputs * tiling_.pixels());
    const auto sums = room<T>(outputs * count);
    Index summed = 0;
    for (Index item = first; item < last; ++item) {
      const Index set = item / tiling_.count();
      const Index n = shared_ ? set / job_.groups() : set;
      const Index g = shared_ ? set % job_.groups() : group;
      const Tile tile = tiling_[item % tiling_.count()];
      if (summed == 0) std::fill_n(sums.get(), outputs * count, T{0});
      pack(job_, n, g, tile, begin, begin + count, panel.get());
      read_tile(gradient_.cotangent, n, g * outputs, outputs, tile, cotangent.get());
      add_product_by<T>(cotangent.get(), outputs, tiling_.panels.outputs,
                        {panel.get(), count, tile.pixels(), tile.pixels()}, sums.get());
      summed += tile.pixels();
      if (summed < kRun && item + 1 < last) continue;
      for (Index i = 0; i < outputs * count; ++i) grad[i] += static_cast<double>(sums[i]);
      summed = 0;
      tick(static_cast<double>(item + 1 - first) / static_cast<double>(last - first));
    }
  }

 private:
  static constexpr Index kRun = 2048;  // pixels summed in T

  const KernelGradient<T>& gradient_;
  const Correlation<T>& job_;
  const Tiling& tiling_;
  bool shared_;
};

}  // namespace

template <class T>
void kernel_gradient_gemm(const KernelGradient<T>& gradient) {
  const Correlation<T>& job = gradient.job;
  const Tiling tiling = tiling_of(job);
  const GradientPart<T> part(gradient, tiling);
  const Index taps = taps_of(job);
  const Index outputs = job.outputs();
  const Index groups = gradient.grad.shape[0];
  const Index width = tiling.panels.taps;
  const Index chunks = (taps + width - 1) / width;
  // As many parts as keep many threads busy; not depending on how many there are.
  constexpr Index kTasks = 64;
  const Index items = part.items();
  const Index parts = std::clamp<Index>(kTasks / (groups * chunks), 1, items);
  const Index size = outputs * width;
  const auto sums =
      std::make_unique<double[]>(static_cast<std::size_t>(groups * chunks * parts * size));
  parallel_tasks(groups * chunks * parts, job.execution, [&](Index task, const Tick& tick) {
    const Index i = task % parts;
    const Index begin = task / parts % chunks * width;
    part.add(task / parts / chunks, begin, std::min(width, taps - begin), i * items / parts,
             (i + 1) * items / parts, sums.get() + task * size, tick);
  });
  for (Index row = 0; row < groups * outputs; ++row) {
    for (Index tap = 0; tap < taps; ++tap) {
      const Index first = (row / outputs * chunks + tap / width) * parts;  // task
      const Index columns = std::min(width, taps - tap / width * width);
      double sum = 0.0;
      for (Index task = first; task < first + parts; ++task) {
        sum += sums[task * size + row % outputs * columns + tap % width];
      }
      gradient.grad.data[row * taps + tap] = sum;
    }
  }
}

template void correlate_gemm(const Correlation<float>&);
template void correlate_gemm(const Correlation<double>&);
template void kernel_gradient_gemm(const KernelGradient<float>&);
template void kernel_gradient_gemm(const KernelGradient<double>&);

}  // namespace blurfield::detail
