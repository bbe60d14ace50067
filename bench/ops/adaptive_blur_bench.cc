// SPDX-License-Identifier: BSD-3-Clause
// Adaptive blur of a 512 x 512 float image. GFLOP/s count two operations per tap of the 2-D
// kernels, whatever the separability and the symmetry of a kernel save.
#include <benchmark/benchmark.h>

#include <cmath>

#include "blurfield/base/random.h"
#include "blurfield/ops/adaptive_blur.h"

namespace blurfield {
namespace {

constexpr Index kSide = 512;
const Shape kShape{1, 1, kSide, kSide};

constexpr int kNoise = 0;
constexpr int kRamp = 1;
constexpr int kRough = 2;
constexpr int kLogchol = 3;

// 8 +- 10 %; a ramp 0.5..8 along y; uniform in 0.5..8; covariances of widths 0.5..8.
Image<float> make_field(int kind) {
  Random random(1);
  Image<float> field({1, kind == kLogchol ? 3 : 1, kSide, kSide});
  const View<float> v = field.view();
  for (Index y = 0; y < kSide; ++y) {
    for (Index x = 0; x < kSide; ++x) {
      const double down = 0.5 + 7.5 * static_cast<double>(y) / (kSide - 1);
      const double right = 0.5 + 7.5 * static_cast<double>(x) / (kSide - 1);
      double value = 8.0 * (1.0 + 0.1 * random.normal());
      if (kind == kRamp) value = down;
      if (kind == kRough) value = random.uniform(0.5, 8.0);
      v.at(0, 0, y, x) = static_cast<float>(kind == kLogchol ? std::log(down) : value);
      if (kind != kLogchol) continue;
      v.at(0, 1, y, x) = static_cast<float>(0.3 * down);
      v.at(0, 2, y, x) = static_cast<float>(std::log(right));
    }
  }
  return field;
}

Image<float> make_image(std::uint64_t seed) {
  Random random(seed);
  Image<float> image(kShape);
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] = static_cast<float>(random.uniform());
  }
  return image;
}

AdaptiveBlurOptions options_of(const benchmark::State& state) {
  AdaptiveBlurOptions options;
  options.truncate = static_cast<double>(state.range(1));
  options.execution.threads = static_cast<int>(state.range(2));
  return options;
}

void count(benchmark::State& state, const Image<float>& field, const AdaptiveBlurOptions& options) {
  const double flops = 2.0 * adaptive_blur_taps<float>(kShape, field, options);
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

// Arguments: field, truncate, threads.
template <bool kScatter>
void forward(benchmark::State& state) {
  const Image<float> x = make_image(2);
  const Image<float> field = make_field(static_cast<int>(state.range(0)));
  AdaptiveBlurOptions options = options_of(state);
  options.scatter = kScatter;
  Image<float> out(kShape);
  for (auto _ : state) adaptive_blur<float>(x, field, out, options);
  count(state, field, options);
}

// By image and field.
void vjp(benchmark::State& state) {
  const Image<float> x = make_image(2);
  const Image<float> u = make_image(3);
  const Image<float> field = make_field(static_cast<int>(state.range(0)));
  const AdaptiveBlurOptions options = options_of(state);
  Image<float> grad_x(kShape);
  Image<float> grad_field(field.shape());
  for (auto _ : state) adaptive_blur_vjp<float>(x, field, u, grad_x, grad_field, options);
  count(state, field, options);
}

BENCHMARK(forward<false>)
    ->ArgNames({"field", "truncate", "threads"})
    ->ArgsProduct({{kNoise, kRough}, {4}, {1, 2}})
    ->ArgsProduct({{kRamp, kLogchol}, {2, 4}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(forward<true>)
    ->ArgNames({"field", "truncate", "threads"})
    ->ArgsProduct({{kNoise}, {4}, {1, 2}})
    ->ArgsProduct({{kLogchol}, {2}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(vjp)
    ->ArgNames({"field", "truncate", "threads"})
    ->ArgsProduct({{kNoise}, {4}, {1, 2}})
    ->ArgsProduct({{kRamp, kLogchol}, {2}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace blurfield
