// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/tile_sweep.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "blurfield/kernels/window_sums.h"
#include "blurfield/ops/detail/pool.h"

namespace blurfield::detail {
namespace {

template <class T>
class TileTask {
 public:
  TileTask(const Correlation<T>& job, const DirectTile& tile, const ComputeBlock<T>& compute,
           TileWorkspace<T>& work, const TilePlace& at)
      : job_(job),
        tile_(tile),
        compute_(compute),
        work_(work),
        at_(at),
        // Few rows, or rows that do not share pixels, are computed one by one.
        block_(at.phase.stride == 1 && at.phase.count >= kernels::kWindowRows / 2
                   ? kernels::kWindowRows
                   : 1) {}

  // Returns whether all outputs of the tile are finite.
  bool run() {
    const TilePlace tile = at_;
    const auto [begin, end] = inside();
    if (end - begin < kLeastInside) return run_packed(tile.column, tile.column + tile.columns);
    bool finite = run_packed(tile.column, begin);
    finite = run_inside(begin, end) && finite;
    return run_packed(end, tile.column + tile.columns) && finite;
  }

 private:
  static constexpr Index kLeastInside = 128;

  // The tile's columns that read nothing beyond the left and right border; none where rows have to
  // be packed. What is left of them on either side is empty or as wide as a vector.
  std::array<Index, 2> inside() const {
    const CorrelationAxis& x = job_.x_axis;
    // Tile offsets are those of whole rows only where taps share a slot.
    if (!reads_in_place(job_) || tile_.slots.size() > 1) return {0, 0};
    constexpr Index kVector = kernels::kWindowLeastWidth;
    const Index last = at_.column + at_.columns;
    Index begin = at_.column;
    Index end = std::min(last, x.in - x.span() + 1 + x.before);
    if (begin < x.before) begin = std::max(x.before, begin + kVector);
    if (end < last) end = std::min(end, last - kVector);
    return {begin, end};
  }

  // Columns begin..end-1 of the tile.
  bool run_packed(Index begin, Index end) {
    if (begin == end) return true;
    at_.column = begin;
    at_.columns = end - begin;
    reads_ = tile_.row_size;
    // What the last rows of a block read beyond is not used, but must be there.
    const Index allotted = tile_positions(job_, at_).count + block_ - 1;
    pack_tile(job_, tile_, at_, allotted, work_.pixels);
    const auto row = [&](Index c, Index i) {
      return work_.pixels.data() + (c * allotted + i) * tile_.row_size;
    };
    return run_rows(row);
  }

  bool run_inside(Index begin, Index end) {
    at_.column = begin;
    at_.columns = end - begin;
    reads_ = at_.columns + job_.x_axis.span() - 1;
    const Index x = job_.x_axis.first(begin);
    const Positions ys = tile_positions(job_, at_);
    work_.constant.assign(job_.extension.mode == Mode::constant
                              ? static_cast<std::size_t>(at_.columns + job_.x_axis.span() - 1)
                              : 0,
                          static_cast<T>(job_.extension.cval));
    const auto row = [&](Index c, Index i) {
      const Index y = extend(ys[i], job_.x.height(), job_.extension.mode);
      return y < 0 ? work_.constant.data() : job_.x.row(at_.n, at_.g * job_.inputs() + c, y) + x;
    };
    return run_rows(row);
  }

  // All rows and outputs of the tile; row(c, i) is what u(i) of the phase holds of channel c.
  template <class Row>
  bool run_rows(const Row& row) {
    work_.outputs.resize(static_cast<std::size_t>(block_ * width()));
    bool finite = true;
    for (Index m = 0; m < at_.rows; m += block_) {
      work_.rows.clear();
      for (Index c = 0; c < job_.inputs(); ++c) {
        for (Index i = 0; i < job_.y_axis.taps + block_ - 1; ++i) {
          work_.rows.push_back(row(c, m * at_.phase.stride + i));
        }
      }
      for (Index k = 0; k < job_.outputs(); ++k) finite = write(k, m) && finite;
    }
    return finite;
  }

  Index width() const { return std::max(at_.columns, kernels::kWindowLeastWidth); }

  // Rows m.. of output k.
  bool write(Index k, Index m) {
    const View<T>& out = job_.out;
    const Index y = at_.phase.first + (at_.row + m) * at_.phase.step;
    T* const place = out.row(at_.n, at_.g * job_.outputs() + k, y) + at_.column * out.x_stride();
    const Index stride = at_.phase.step * out.y_stride();
    const Index lines = std::min(block_, at_.rows - m);
    const bool in_place =
        out.x_stride() == 1 && at_.columns >= kernels::kWindowLeastWidth && lines == block_;
    const RowBlock<T> block{(job_.kernels.stride[0] == 0 ? 0 : at_.g * job_.outputs()) + k,
                            block_,
                            work_.rows.data(),
                            reads_,
                            width(),
                            in_place ? place : work_.outputs.data(),
                            in_place ? stride : width()};
    const bool finite = compute_(block, work_);
    for (Index i = 0; i < lines && !in_place; ++i) {
      const T* from = block.out + i * block.stride;
      for (Index j = 0; j < at_.columns; ++j) place[i * stride + j * out.x_stride()] = from[j];
    }
    return finite;
  }

  const Correlation<T>& job_;
  const DirectTile& tile_;
  const ComputeBlock<T>& compute_;
  TileWorkspace<T>& work_;
  TilePlace at_;
  Index block_;      // rows at a time
  Index reads_ = 0;  // pixels of a row
};

}  // namespace

template <class T>
bool sweep_tiles(const Correlation<T>& job, const DirectTile& tile,
                 const ComputeBlock<T>& compute) {
  Pool<TileWorkspace<T>> pool;
  std::atomic<bool> finite{true};
  parallel_for(tile_count(job, tile), job.execution, [&](Index i) {
    const TilePlace at = tile_place(job, tile, i);
    if (at.rows == 0) return;
    typename Pool<TileWorkspace<T>>::Lease work(pool);
    if (!TileTask<T>(job, tile, compute, *work, at).run()) finite = false;
  });
  return finite;
}

template bool sweep_tiles(const Correlation<float>&, const DirectTile&, const ComputeBlock<float>&);
template bool sweep_tiles(const Correlation<double>&, const DirectTile&,
                          const ComputeBlock<double>&);

}  // namespace blurfield::detail
