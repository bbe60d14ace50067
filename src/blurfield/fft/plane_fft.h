// SPDX-License-Identifier: BSD-3-Clause
// Two-dimensional discrete Fourier transforms of complex planes. Two real planes are transformed as
// the real and imaginary part of one; what a product with the spectrum of a real kernel does to it,
// it does to either alone.
#pragma once

#include <functional>

#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"
#include "blurfield/fft/row_fft.h"

namespace blurfield::fft {

template <class T>
class PlaneFft {
 public:
  using Complex = std::complex<T>;

  PlaneFft(Index rows, Index columns);
  Index rows() const { return columns_->size(); }
  Index columns() const { return rows_->size(); }

  // A spectrum is stored by columns: frequency (y, x) is number x pitch() + y of columns() *
  // pitch() numbers; those between rows() and pitch() are anything.
  Index pitch() const { return columns_->pitch(); }
  Image<Complex> spectrum() const;

  // The transform of the plane whose row y is what load(y, row) writes, all columns() numbers of
  // it. Unnormalised: store(y, row) gets rows() * columns() times what was loaded. Both are called
  // for several rows at once. backward overwrites the spectrum.
  void forward(const std::function<void(Index y, Complex* row)>& load, Complex* spectrum,
               const Execution& execution = {}) const;
  void backward(Complex* spectrum, const std::function<void(Index y, const Complex* row)>& store,
                const Execution& execution = {}) const;

 private:
  template <class Transform>
  void transform_columns(Complex* spectrum, const Execution& execution,
                         const Transform& transform) const;

  const RowFft<T>* rows_;     // transforms rows
  const RowFft<T>* columns_;  // transforms columns
};

}  // namespace blurfield::fft
