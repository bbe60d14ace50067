// SPDX-License-Identifier: BSD-3-Clause
// What each method costs: a linear model of a few counts, whose constants bench/calibrate measures.
#pragma once

#include <array>
#include <cstddef>

#include "blurfield/ops/detail/convolution/correlation.h"

namespace blurfield::detail {

inline constexpr std::size_t kMethods = 4;   // direct, separable, gemm, fft
inline constexpr std::size_t kFeatures = 7;  // counts per method

using CostFeatures = std::array<double, kFeatures>;

// Nanoseconds of one core per count, by method.
struct CostModel {
  std::array<CostFeatures, kMethods> nanoseconds;
};

// The constants in use for T.
template <class T>
const CostModel& cost_model();

// The counts of method 0..3 for a job; `rank` is that of the separable sum.
//   direct     taps in blocks of six rows, columns of taps in them, outputs, packed pixels,
//              taps in single rows, tiles
//   separable  taps along y, along x, terms, packed pixels, taps in single rows, singular values,
//              kernels
//   gemm       multiply-adds of matrix products, of matrix-vector products, packed pixels, calls
//   fft        the estimate of fft/blocks.h for images, for signals; outputs, 1
template <class T>
CostFeatures cost_features(const Correlation<T>& job, std::size_t method, Index rank = 1);

// Seconds on one core.
template <class T>
double predicted_seconds(const Correlation<T>& job, std::size_t method, Index rank = 1) {
  const CostFeatures features = cost_features(job, method, rank);
  double sum = 0.0;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    sum += features[i] * cost_model<T>().nanoseconds[method][i];
  }
  return 1e-9 * sum;
}

// Less than the fft method ever takes.
template <class T>
double least_fft_seconds(const Correlation<T>& job);

}  // namespace blurfield::detail
