// SPDX-License-Identifier: BSD-3-Clause
// Two real blocks, transformed as the real and imaginary part of one complex array. What a product
// with the spectrum of a real kernel does to it, it does to either block alone. Rows are
// transformed first, into a plane; then columns, a panel of a few columns at a time, so that all
// work on spectra is done where it finds them in the nearest cache.
#pragma once

#include <array>
#include <complex>

#include "blurfield/base/image.h"
#include "blurfield/fft/row_fft.h"
#include "blurfield/ops/detail/convolution/window.h"

namespace blurfield::detail {

// What a block reads; its other rows and columns are zero.
template <class T>
struct BlockInput {
  Plane<T> plane;
  Positions ys;
  Positions xs;
};

// What is kept of a block, from its first row and column on.
template <class T>
struct BlockOutput {
  T* data = nullptr;
  Index rows = 0;
  Index columns = 0;
  Index y_stride = 0;
  Index x_stride = 1;
};

template <class T>
class PairFft {
 public:
  using Complex = std::complex<T>;
  static constexpr Index kPanel = fft::kRowBatch;  // columns

  PairFft(Index rows, Index columns);

  // Planes and spectra are stored by columns, `pitch` apart.
  Index pitch() const { return column_fft_->pitch(); }
  Index panels() const { return (columns_ + kPanel - 1) / kPanel; }
  Index panel_size() const { return kPanel * pitch(); }
  Index plane_size() const { return panels() * panel_size(); }
  // Of panel p, without what a last, narrow one lacks.
  Index panel_columns(Index p) const { return std::min(kPanel, columns_ - p * kPanel); }
  Index rows() const { return rows_; }
  Index columns() const { return columns_; }

  // One thread's buffers, empty until the first use.
  class Space {
   public:
    Space() = default;
    explicit Space(const PairFft& fft);
    bool empty() const { return in_.empty(); }

   private:
    friend PairFft;
    Image<T> pixels_;     // a batch of rows of both blocks
    Image<Complex> in_;   // the same, as complex numbers
    Image<Complex> out_;  // transformed
  };

  // plane = the transformed rows of two blocks, the first `rows` of them; the others are zero.
  void load(const std::array<BlockInput<T>, 2>& blocks, const Extension& extension, Index rows,
            Space& space, Complex* plane) const;
  // panel = the transformed columns of panel p of the plane.
  void forward(const Complex* plane, Index p, Complex* panel) const;
  // The inverse of `forward`, and of `load`: writes both blocks.
  void backward(const Complex* panel, Index p, Complex* plane) const;
  void store(const Complex* plane, const std::array<BlockOutput<T>, 2>& blocks, Space& space) const;

 private:
  Index rows_;
  Index columns_;
  const fft::RowFft<T>* row_fft_;
  const fft::RowFft<T>* column_fft_;
};

}  // namespace blurfield::detail
