// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/cost_model.h"

#include <algorithm>

#include "blurfield/kernels/window_sums.h"
#include "blurfield/ops/detail/convolution/direct_tile.h"
#include "blurfield/ops/detail/convolution/fft/blocks.h"
#include "blurfield/ops/detail/convolution/gemm_panels.h"

namespace blurfield::detail {
namespace {

// From runs of `script/bench calibrate` on AMD EPYC (AVX-512), rounded between their fits; what
// that says of the choices stands in docs/benchmarks.md.
constexpr CostModel kFloat{{{{0.0175, 0.02, 0.15, 0.15, 0.05, 1000, 0},
                             {0.022, 0.04, 0.2, 0.1, 0.06, 8, 7000},
                             {0.04, 0.25, 0.1, 650, 0, 0, 0},
                             {1.1, 3.7, 0.05, 18000, 0, 0, 0}}}};
constexpr CostModel kDouble{{{{0.037, 0.04, 0.45, 0.25, 0.1, 1000, 0},
                              {0.05, 0.075, 0.5, 0.25, 0.13, 7, 6000},
                              {0.075, 0.3, 0.1, 2000, 0, 0, 0},
                              {1.2, 3.7, 0.05, 18000, 0, 0, 0}}}};

double product(std::initializer_list<Index> factors) {
  double p = 1.0;
  for (Index factor : factors) p *= static_cast<double>(factor);
  return p;
}

// What direct and separable correlation cut their outputs into.
struct Sweep {
  bool six = false;  // rows in blocks of six
  double tiles = 0;
  double outputs = 0;  // pixels computed, those beside the ends of tiles among them
  double packed = 0;   // pixels
  double wider = 1;    // packed rows than tiles
};

template <class T>
Sweep sweep_of(const Correlation<T>& job) {
  const DirectTile tile = direct_tile(job.y_axis, job.x_axis, job.inputs());
  const AxisPhase phase = axis_phase(job.y_axis, 0);
  Sweep sweep;
  sweep.six = phase.stride == 1 && phase.count >= kernels::kWindowRows / 2;
  const Index block = sweep.six ? kernels::kWindowRows : 1;
  const auto rounded = [](Index n, Index multiple) {
    return (n + multiple - 1) / multiple * multiple;
  };
  const Index sets = job.x.batch() * job.groups();
  sweep.tiles = static_cast<double>(tile_count(job, tile));
  sweep.outputs =
      product({sets, job.outputs(), phase_count(job.y_axis), rounded(phase.count, block),
               std::max(job.x_axis.out, kernels::kWindowLeastWidth)});
  sweep.packed =
      sweep.tiles *
      product({job.inputs(), (tile.rows - 1) * phase.stride + job.y_axis.taps, tile.row_size});
  sweep.wider = static_cast<double>(tile.row_size) / static_cast<double>(tile.width);
  return sweep;
}

template <class T>
CostFeatures direct_features(const Correlation<T>& job) {
  const Sweep sweep = sweep_of(job);
  const double columns = sweep.outputs * product({job.inputs(), job.x_axis.taps});
  const double taps = columns * static_cast<double>(job.y_axis.taps);
  if (sweep.six) return {taps, columns, sweep.outputs, sweep.packed, 0, sweep.tiles, 0};
  return {0, 0, sweep.outputs, sweep.packed, taps, sweep.tiles, 0};
}

template <class T>
CostFeatures separable_features(const Correlation<T>& job, Index rank) {
  const Sweep sweep = sweep_of(job);
  const Index kh = job.y_axis.taps;
  const Index kw = job.x_axis.taps;
  const double terms = sweep.outputs * product({job.inputs(), rank});
  const double vertical = terms * sweep.wider * static_cast<double>(kh);
  const double horizontal = terms * static_cast<double>(kw);
  const double kernels =
      product({job.inputs(), job.outputs(), job.kernels.stride[0] == 0 ? 1 : job.groups()});
  const double singular = kernels * product({kh, kw, std::min(kh, kw)});
  if (sweep.six) return {vertical, horizontal, terms, sweep.packed, 0, singular, kernels};
  return {0, horizontal, terms, sweep.packed, vertical, singular, kernels};
}

template <class T>
CostFeatures gemm_features(const Correlation<T>& job) {
  const Index taps = job.inputs() * job.y_axis.taps * job.x_axis.taps;
  const GemmCost cost =
      gemm_cost(job.x.batch() * job.groups(), job.outputs(), taps, job.y_axis.out, job.x_axis.out);
  if (job.outputs() > 1) return {cost.multiply_adds, 0, cost.packed, cost.calls, 0, 0, 0};
  return {0, cost.multiply_adds, cost.packed, cost.calls, 0, 0, 0};
}

template <class T>
double output_pixels(const Correlation<T>& job) {
  return product({job.x.batch(), job.groups(), job.outputs(), job.y_axis.out, job.x_axis.out});
}

template <class T>
CostFeatures fft_features(const Correlation<T>& job) {
  const double estimate = fft_blocks(job).nanoseconds;
  if (job.y_axis.out > 1) return {estimate, 0, output_pixels(job), 1, 0, 0, 0};
  return {0, estimate, output_pixels(job), 1, 0, 0, 0};
}

}  // namespace

template <>
const CostModel& cost_model<float>() {
  return kFloat;
}
template <>
const CostModel& cost_model<double>() {
  return kDouble;
}

template <class T>
CostFeatures cost_features(const Correlation<T>& job, std::size_t method, Index rank) {
  switch (method) {
    case 0:
      return direct_features(job);
    case 1:
      return separable_features(job, rank);
    case 2:
      return gemm_features(job);
    default:
      return fft_features(job);
  }
}

template <class T>
double least_fft_seconds(const Correlation<T>& job) {
  // Half of what large blocks take per pixel, to find which takes time itself.
  const double nanoseconds = sizeof(T) == 4 ? 2.0 : 4.0;
  return 1e-9 * nanoseconds * output_pixels(job);
}

#define BLURFIELD_INSTANTIATE(T)                                                  \
  template CostFeatures cost_features(const Correlation<T>&, std::size_t, Index); \
  template double least_fft_seconds(const Correlation<T>&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
