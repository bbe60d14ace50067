// SPDX-License-Identifier: BSD-3-Clause
// How correlate_fft takes a correlation apart. An axis first, by dilation and stride, into phases
// and parts: the outputs of a phase are the sum, over the parts, of dense correlations of every
// n-th pixel of the extended image with every t-th tap; parts act like further channels. Then each
// phase into blocks, whose windows overlap by taps - 1 (overlap-save).
#pragma once

#include "blurfield/ops/detail/convolution/correlation.h"

namespace blurfield::detail {

struct FftAxis {
  Index phases = 1;
  Index parts = 1;
  Index taps = 1;    // of a part
  Index out = 1;     // outputs of a phase, at most
  Index blocks = 1;  // of a phase
  Index valid = 1;   // outputs of a block, at most
  Index size = 1;    // of transforms, >= window()

  Index window() const { return valid + taps - 1; }
};

struct FftBlocks {
  FftAxis y;
  FftAxis x;
  Index pairs = 0;        // of blocks, in each group: two share a complex transform
  double transforms = 0;  // y.size x x.size, complex: of kernels, blocks of inputs and of outputs
  double products = 0;    // complex multiply-adds
  double spectra_bytes = 0;  // of kernels
  double nanoseconds = 0;    // estimated, on one thread
};

// The cheapest blocks whose kernels' spectra, all together, take at most `budget` bytes; the
// smallest ones where none do. Reads shapes only.
template <class T>
FftBlocks fft_blocks(const Correlation<T>& job, double budget = 64e6);

}  // namespace blurfield::detail
