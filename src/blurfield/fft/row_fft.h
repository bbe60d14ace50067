// SPDX-License-Identifier: BSD-3-Clause
// One-dimensional discrete Fourier transforms of complex rows. The only unit that knows FFTW (which
// is GPL-2+).
#pragma once

#include <complex>
#include <memory>

#include "blurfield/base/view.h"

namespace blurfield::fft {

// The least size >= n whose only prime factors are 2, 3, 5 and 7; others take several times as
// long.
Index smooth_size(Index n);

// Rows that are best transformed in one call.
inline constexpr Index kRowBatch = 8;

// Transforms of rows of `size` numbers. Immutable once made, so safe to share between threads.
template <class T>
class RowFft {
 public:
  // Planned at the first call for a size, in a fraction of a millisecond, and kept for as long as
  // the process lives. Safe to call from many threads at once.
  static const RowFft& get(Index size);
  ~RowFft();
  RowFft(const RowFft&) = delete;
  RowFft& operator=(const RowFft&) = delete;

  Index size() const;
  Index pitch() const;  // numbers from one row to the next: size, or a few more

  // Unnormalised: backward(forward(x)) = size x. `in` and `out` are 64-byte aligned and distinct.
  void forward(const std::complex<T>* in, Index rows, std::complex<T>* out) const;
  void backward(const std::complex<T>* in, Index rows, std::complex<T>* out) const;

 private:
  struct Plans;
  explicit RowFft(Index size);
  std::unique_ptr<Plans> plans_;
};

}  // namespace blurfield::fft
