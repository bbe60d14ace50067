// SPDX-License-Identifier: BSD-3-Clause
// The sum itself: a task packs what a tile of outputs reads and computes all its outputs from
// there.
#include <algorithm>
#include <atomic>
#include <vector>

#include "blurfield/kernels/window_dots.h"
#include "blurfield/kernels/window_sums.h"
#include "blurfield/ops/detail/convolution/correlation.h"
#include "blurfield/ops/detail/convolution/direct_tile.h"
#include "blurfield/ops/detail/convolution/partial_sums.h"
#include "blurfield/ops/detail/convolution/tile_sweep.h"
#include "blurfield/ops/detail/pool.h"

namespace blurfield::detail {
namespace {

// Kernels with the taps of a column side by side, (G or 1, K, C, kw, kh).
template <class T>
std::vector<T> column_weights(const Correlation<T>& job) {
  const View<const T>& k = job.kernels;
  std::vector<T> weights;
  const Index groups = k.stride[0] == 0 ? 1 : job.groups();
  const Index taps = job.y_axis.taps * job.x_axis.taps;
  const Index sets = groups * job.outputs() * job.inputs();
  weights.reserve(static_cast<std::size_t>(sets * taps));
  for (Index set = 0; set < sets; ++set) {
    for (Index j = 0; j < job.x_axis.taps; ++j) {
      for (Index i = 0; i < job.y_axis.taps; ++i) {
        weights.push_back(k.data[set * taps + i * job.x_axis.taps + j]);
      }
    }
  }
  return weights;
}

template <class T>
struct Workspace {
  std::vector<T> pixels;        // (C, rows, row_size) of the tile's group
  std::vector<T> cotangent;     // of the tile
  std::vector<const T*> rows;   // of pixels
  std::vector<const T*> lines;  // of the cotangent
};

// A tile's share of the gradient by the kernels of its group.
template <class T>
class GradientTask {
 public:
  GradientTask(const KernelGradient<T>& gradient, const DirectTile& tile, Workspace<T>& work,
               const TilePlace& at)
      : gradient_(gradient), job_(gradient.job), tile_(tile), work_(work), at_(at) {}

  void add(double* grad) {
    // Blocks of taps may reach beyond the kernel; what they find there is not used.
    allotted_ = tile_positions(job_, at_).count + kernels::kDotRows - 1;
    pack_tile(job_, tile_, at_, allotted_, work_.pixels);
    const Index taps = job_.y_axis.taps * job_.x_axis.taps;
    const Index sets = job_.outputs() * job_.inputs();
    if (gradient_.grad.shape[0] > 1) grad += at_.g * sets * taps;
    for (Index k = 0; k < job_.outputs(); ++k) {
      load_cotangent(k);
      for (Index c = 0; c < job_.inputs(); ++c, grad += taps) add_channel(c, grad);
    }
  }

 private:
  void load_cotangent(Index k) {
    work_.cotangent.resize(static_cast<std::size_t>(at_.rows * at_.columns));
    work_.lines.clear();
    const View<const T>& cotangent = gradient_.cotangent;
    for (Index m = 0; m < at_.rows; ++m) {
      const Index y = at_.phase.first + (at_.row + m) * at_.phase.step;
      const T* from = cotangent.row(at_.n, at_.g * job_.outputs() + k, y);
      T* to = work_.cotangent.data() + m * at_.columns;
      for (Index j = 0; j < at_.columns; ++j) {
        to[j] = from[(at_.column + j) * cotangent.x_stride()];
      }
      work_.lines.push_back(to);
    }
  }

  void add_channel(Index c, double* grad) {
    const Index kw = job_.x_axis.taps;
    for (Index i = 0; i < job_.y_axis.taps; i += kernels::kDotRows) {
      work_.rows.clear();
      const T* row = work_.pixels.data() + (c * allotted_ + i) * tile_.row_size;
      for (Index r = 0; r + i < allotted_; ++r) work_.rows.push_back(row + r * tile_.row_size);
      for (Index j = 0; j < kw; j += kernels::kDotColumns) {
        std::array<Index, kernels::kDotColumns> offsets{};
        for (Index q = 0; q < kernels::kDotColumns; ++q) {
          offsets[static_cast<std::size_t>(q)] =
              tile_.offsets[static_cast<std::size_t>(std::min(j + q, kw - 1))];
        }
        std::array<double, kernels::kDotRows * kernels::kDotColumns> dots{};
        kernels::window_dots(work_.lines.data(), work_.rows.data(), at_.phase.stride,
                             offsets.data(), at_.rows, at_.columns, dots.data());
        for (Index p = 0; p < std::min(kernels::kDotRows, job_.y_axis.taps - i); ++p) {
          for (Index q = 0; q < std::min(kernels::kDotColumns, kw - j); ++q) {
            grad[(i + p) * kw + j + q] +=
                dots[static_cast<std::size_t>(p * kernels::kDotColumns + q)];
          }
        }
      }
    }
  }

  const KernelGradient<T>& gradient_;
  const Correlation<T>& job_;
  const DirectTile& tile_;
  Workspace<T>& work_;
  TilePlace at_;
  Index allotted_ = 0;  // packed rows of a channel
};

}  // namespace

template <class T>
bool correlate_direct(const Correlation<T>& job) {
  const DirectTile tile = direct_tile(job.y_axis, job.x_axis, job.inputs());
  const std::vector<T> weights = column_weights(job);
  const Index size = job.inputs() * job.y_axis.taps * job.x_axis.taps;
  return sweep_tiles<T>(job, tile, [&](const RowBlock<T>& block, TileWorkspace<T>& /*work*/) {
    const kernels::WindowSums<T> sums{block.rows,          weights.data() + block.set * size,
                                      tile.offsets.data(), job.inputs(),
                                      job.x_axis.taps,     job.y_axis.taps};
    return kernels::window_rows(sums, block.rows_of, block.width, block.out, block.stride);
  });
}

template <class T>
void kernel_gradient_direct(const KernelGradient<T>& gradient) {
  const Correlation<T>& job = gradient.job;
  const DirectTile tile = direct_tile(job.y_axis, job.x_axis, job.inputs());
  Pool<Workspace<T>> pool;
  const auto add = [&](Index i, double* sums) {
    const TilePlace at = tile_place(job, tile, i);
    if (at.rows == 0) return;
    typename Pool<Workspace<T>>::Lease work(pool);
    GradientTask<T>(gradient, tile, *work, at).add(sums);
  };
  const Index size = gradient.grad.shape.elements();
  std::fill_n(gradient.grad.data, size, 0.0);
  sum_tasks(tile_count(job, tile), size, job.execution, gradient.grad.data, add);
}

template bool correlate_direct(const Correlation<float>&);
template bool correlate_direct(const Correlation<double>&);
template void kernel_gradient_direct(const KernelGradient<float>&);
template void kernel_gradient_direct(const KernelGradient<double>&);

}  // namespace blurfield::detail
