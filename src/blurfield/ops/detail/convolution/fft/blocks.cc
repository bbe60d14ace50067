// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/fft/blocks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "blurfield/fft/row_fft.h"
#include "blurfield/ops/detail/convolution/phases.h"

namespace blurfield::detail {
namespace {

Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

// Nanoseconds per complex float, measured with AVX2; double takes longer.
constexpr double kDouble = 1.75;
constexpr double kStage = 0.08;      // of transforms, 2^stages long
constexpr double kTranspose = 0.25;  // into or out of a panel of columns
constexpr double kInput = 0.7;       // reading pixels side by side
constexpr double kOutput = 1.7;      // writing them
constexpr double kApart = 1.3;       // more where they are not
constexpr double kPair = 0.3;        // of two blocks' rows a complex one, and back
constexpr double kProduct = 0.2;     // multiply-add of spectra
constexpr double kFarProduct = 0.3;  // more where those of kernels exceed the nearer caches
constexpr double kFarthest = 0.9;    // and more where they exceed all
constexpr double kFirstTouch = 0.8;  // of memory
constexpr double kTask = 800.0;      // of a pair of blocks
// Every doubling of a plane beyond what stays in the nearer caches.
constexpr double kNearBytes = 512e3;
constexpr double kCacheBytes = 16e6;
constexpr double kDoubling = 0.35;

// Whether FFTW has a good plan without measuring: it has SIMD code for these times 16.
template <class T>
bool good_size(Index n) {
  Index odd = n;
  while (odd % 2 == 0) odd /= 2;
  if (odd == 1 || odd == 5) return true;
  if (odd == 15 || odd == 25) return n == 16 * odd;
  const Index most = sizeof(T) == 4 ? 384 : 96;
  return odd == 3 ? n <= most : odd == 9 && n == 144 && most > n;
}

// An axis cut into blocks.
struct Cut {
  FftAxis axis;
  double size = 1.0;
  double transform = 0.0;  // nanoseconds per number
  double input = kInput;
  double output = kOutput;
};

template <class T>
std::vector<Cut> cuts(const CorrelationAxis& axis) {
  const AxisPhase phase = axis_phase(axis, 0);
  FftAxis cut;
  cut.phases = phase_count(axis);
  cut.parts = std::min(phase.stride, axis.taps);
  cut.taps = ceil_div(axis.taps, phase.stride);
  cut.out = phase.count;
  const Index whole = cut.out + cut.taps - 1;
  const Index most = fft::smooth_size(whole);
  std::vector<Cut> all;
  const auto add = [&](Index n) {
    cut.size = n;
    cut.blocks = ceil_div(cut.out, std::min(n, whole) - cut.taps + 1);
    cut.valid = ceil_div(cut.out, cut.blocks);
    const auto size = static_cast<double>(n);
    const double slower = good_size<T>(n) ? 1.0 : (n % 4 == 0 ? 1.9 : 3.0);
    all.push_back({cut, size, kStage * slower * std::log2(size),
                   kInput + (phase.stride * phase.dilation > 1 ? kApart : 0.0),
                   kOutput + (phase.step > 1 ? kApart : 0.0)});
  };
  // Neither blocks that are mostly overlap nor, but for one of all, very large ones.
  const Index end = std::min(most, 16 * cut.taps + 512);
  for (Index n = cut.taps; n < end; ++n) {
    if (good_size<T>(n) && 4 * (n - cut.taps) >= n) add(n);
  }
  add(most);
  return all;
}

struct Bank {
  double batch;
  double groups;
  double sets;  // of kernels: one per group, or one
  double outputs;
  double inputs;
};

FftBlocks estimate(const Cut& y, const Cut& x, const Bank& bank, double element_size) {
  FftBlocks b{y.axis, x.axis};
  const Index blocks = y.axis.phases * y.axis.blocks * x.axis.phases * x.axis.blocks;
  b.pairs = static_cast<Index>(bank.batch) * ceil_div(blocks, 2);
  const auto pairs = static_cast<double>(b.pairs) * bank.groups;
  const double inputs = bank.inputs * static_cast<double>(y.axis.parts * x.axis.parts);
  const double kernels = bank.sets * bank.outputs * inputs;
  const double area = y.size * x.size;
  b.transforms = kernels + pairs * (inputs + bank.outputs);
  b.products = pairs * inputs * bank.outputs * area;
  b.spectra_bytes = 2 * element_size * kernels * area;
  const auto window = static_cast<double>(y.axis.window());
  const auto valid = static_cast<double>(y.axis.valid);
  const double row = x.size * (x.transform + kPair);
  const double far = std::max(0.0, std::log2(2 * element_size * area / kNearBytes)) * kDoubling;
  const double columns = area * (y.transform + kTranspose + far);
  const double read = window * (row + static_cast<double>(x.axis.window()) * x.input);
  const double write = valid * (row + static_cast<double>(x.axis.valid) * x.output);
  const double product = kProduct + (b.spectra_bytes > kNearBytes ? kFarProduct : 0.0) +
                         (b.spectra_bytes > kCacheBytes ? kFarthest : 0.0);
  const double pair = inputs * (read + columns) + bank.outputs * (write + columns) +
                      inputs * bank.outputs * area * product + kTask;
  const double kernel = static_cast<double>(y.axis.taps) * row + columns / 2 + area * kFirstTouch;
  const double planes = std::max(inputs, bank.outputs) * area * kFirstTouch;
  b.nanoseconds = (pairs * pair + kernels * kernel + planes) * (element_size > 4 ? kDouble : 1.0);
  return b;
}

}  // namespace

template <class T>
FftBlocks fft_blocks(const Correlation<T>& job, double budget) {
  const auto groups = static_cast<double>(job.groups());
  const Bank bank{static_cast<double>(job.x.shape[0]), groups,
                  job.kernels.stride[0] == 0 ? 1.0 : groups, static_cast<double>(job.outputs()),
                  static_cast<double>(job.inputs())};
  FftBlocks best;
  double least = std::numeric_limits<double>::infinity();
  const std::vector<Cut> xs = cuts<T>(job.x_axis);
  for (const Cut& y : cuts<T>(job.y_axis)) {
    for (const Cut& x : xs) {
      const FftBlocks b = estimate(y, x, bank, sizeof(T));
      // A few tasks at least, for threads to share.
      double cost = b.nanoseconds * (1 + 1 / (static_cast<double>(b.pairs) * groups));
      if (b.spectra_bytes > budget) cost += b.spectra_bytes * 1e9;
      if (cost >= least) continue;
      least = cost;
      best = b;
    }
  }
  return best;
}

template FftBlocks fft_blocks(const Correlation<float>&, double);
template FftBlocks fft_blocks(const Correlation<double>&, double);

}  // namespace blurfield::detail
