// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/fft/pair.h"

#include <algorithm>

#include "blurfield/kernels/complex_transpose.h"

namespace blurfield::detail {
namespace {

// `rows` rows of a block from y on, `columns` wide.
template <class T>
void read_rows(const BlockInput<T>& block, const Extension& extension, Index y, Index rows,
               Index columns, T* out) {
  const Index count = std::clamp<Index>(block.ys.count - y, 0, rows);
  read_window(block.plane, extension, {block.ys[y], block.ys.step, count}, block.xs, out, columns);
  for (Index i = 0; i < rows; ++i) {
    const Index used = i < count ? block.xs.count : 0;
    std::fill(out + i * columns + used, out + (i + 1) * columns, T{0});
  }
}

}  // namespace

template <class T>
PairFft<T>::PairFft(Index rows, Index columns)
    : rows_(rows),
      columns_(columns),
      row_fft_(&fft::RowFft<T>::get(columns)),
      column_fft_(&fft::RowFft<T>::get(rows)) {}

template <class T>
PairFft<T>::Space::Space(const PairFft& fft)
    : pixels_({2, fft::kRowBatch, fft.columns_}),
      in_({fft::kRowBatch, fft.row_fft_->pitch()}),
      out_({fft::kRowBatch, fft.row_fft_->pitch()}) {}

template <class T>
void PairFft<T>::load(const std::array<BlockInput<T>, 2>& blocks, const Extension& extension,
                      Index rows, Space& space, Complex* plane) const {
  const Index row_pitch = row_fft_->pitch();
  T* re = space.pixels_.data();
  T* im = re + fft::kRowBatch * columns_;
  for (Index y = 0; y < rows; y += fft::kRowBatch) {
    const Index count = std::min(fft::kRowBatch, rows - y);
    read_rows(blocks[0], extension, y, count, columns_, re);
    read_rows(blocks[1], extension, y, count, columns_, im);
    for (Index i = 0; i < count; ++i) {
      Complex* to = space.in_.data() + i * row_pitch;
      for (Index x = 0; x < columns_; ++x) to[x] = {re[i * columns_ + x], im[i * columns_ + x]};
    }
    row_fft_->forward(space.in_.data(), count, space.out_.data());
    kernels::transpose(space.out_.data(), row_pitch, count, columns_, plane + y, pitch());
  }
  for (Index x = 0; x < columns_; ++x) {
    std::fill(plane + x * pitch() + rows, plane + x * pitch() + rows_, Complex{});
  }
}

template <class T>
void PairFft<T>::forward(const Complex* plane, Index p, Complex* panel) const {
  column_fft_->forward(plane + p * panel_size(), panel_columns(p), panel);
}

template <class T>
void PairFft<T>::backward(const Complex* panel, Index p, Complex* plane) const {
  column_fft_->backward(panel, panel_columns(p), plane + p * panel_size());
}

template <class T>
void PairFft<T>::store(const Complex* plane, const std::array<BlockOutput<T>, 2>& blocks,
                       Space& space) const {
  const Index row_pitch = row_fft_->pitch();
  const Index rows = std::max(blocks[0].rows, blocks[1].rows);
  for (Index y = 0; y < rows; y += fft::kRowBatch) {
    const Index count = std::min(fft::kRowBatch, rows - y);
    kernels::transpose(plane + y, pitch(), columns_, count, space.in_.data(), row_pitch);
    row_fft_->backward(space.in_.data(), count, space.out_.data());
    for (std::size_t b = 0; b < 2; ++b) {
      const BlockOutput<T>& block = blocks[b];
      for (Index i = 0; i < std::min(count, block.rows - y); ++i) {
        // std::complex<T> is an array of two T.
        const T* from = reinterpret_cast<const T*>(space.out_.data() + i * row_pitch) + b;
        T* to = block.data + (y + i) * block.y_stride;
        for (Index x = 0; x < block.columns; ++x) to[x * block.x_stride] = from[2 * x];
      }
    }
  }
}

template class PairFft<float>;
template class PairFft<double>;

}  // namespace blurfield::detail
