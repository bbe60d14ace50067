// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/fft/plane_fft.h"

#include <algorithm>

namespace blurfield::fft {
namespace {

// body(first, count) for batches of rows that are best transformed in one call.
template <class Body>
void for_each_batch(Index rows, const Execution& execution, const Body& body) {
  parallel_for((rows + kRowBatch - 1) / kRowBatch, execution, [&](Index batch) {
    const Index first = batch * kRowBatch;
    body(first, std::min(kRowBatch, rows - first));
  });
}

}  // namespace

template <class T>
PlaneFft<T>::PlaneFft(Index rows, Index columns)
    : rows_(&RowFft<T>::get(columns)), columns_(&RowFft<T>::get(rows)) {}

template <class T>
Image<std::complex<T>> PlaneFft<T>::spectrum() const {
  return Image<Complex>::uninitialised({columns(), pitch()});
}

template <class T>
void PlaneFft<T>::forward(const std::function<void(Index, Complex*)>& load, Complex* spectrum,
                          const Execution& execution) const {
  for_each_batch(rows(), execution, [&](Index first, Index count) {
    const Index row_pitch = rows_->pitch();
    Image<Complex> scratch = Image<Complex>::uninitialised({2, kRowBatch, row_pitch});
    Complex* const in = scratch.data();
    Complex* const out = in + kRowBatch * row_pitch;
    for (Index i = 0; i < count; ++i) load(first + i, in + i * row_pitch);
    rows_->forward(in, count, out);
    for (Index x = 0; x < columns(); ++x) {
      Complex* to = spectrum + x * pitch() + first;
      for (Index i = 0; i < count; ++i) to[i] = out[i * row_pitch + x];
    }
  });
  transform_columns(spectrum, execution, [this](const Complex* in, Index count, Complex* out) {
    columns_->forward(in, count, out);
  });
}

template <class T>
void PlaneFft<T>::backward(Complex* spectrum,
                           const std::function<void(Index, const Complex*)>& store,
                           const Execution& execution) const {
  transform_columns(spectrum, execution, [this](const Complex* in, Index count, Complex* out) {
    columns_->backward(in, count, out);
  });
  for_each_batch(rows(), execution, [&](Index first, Index count) {
    const Index row_pitch = rows_->pitch();
    Image<Complex> scratch = Image<Complex>::uninitialised({2, kRowBatch, row_pitch});
    Complex* const in = scratch.data();
    Complex* const out = in + kRowBatch * row_pitch;
    for (Index x = 0; x < columns(); ++x) {
      const Complex* from = spectrum + x * pitch() + first;
      for (Index i = 0; i < count; ++i) in[i * row_pitch + x] = from[i];
    }
    rows_->backward(in, count, out);
    for (Index i = 0; i < count; ++i) store(first + i, out + i * row_pitch);
  });
}

template <class T>
template <class Transform>
void PlaneFft<T>::transform_columns(Complex* spectrum, const Execution& execution,
                                    const Transform& transform) const {
  for_each_batch(columns(), execution, [&](Index first, Index count) {
    Image<Complex> scratch = Image<Complex>::uninitialised({kRowBatch, pitch()});
    Complex* const batch = spectrum + first * pitch();
    transform(batch, count, scratch.data());
    std::copy_n(scratch.data(), count * pitch(), batch);
  });
}

template class PlaneFft<float>;
template class PlaneFft<double>;

}  // namespace blurfield::fft
