// SPDX-License-Identifier: BSD-3-Clause
// Correlation of float images by each method, and its derivatives. GFLOP/s count two operations per
// tap of the direct sum, whatever a method saves.
#include <benchmark/benchmark.h>

#include "blurfield/base/random.h"
#include "blurfield/ops/correlate.h"

namespace blurfield {
namespace {

constexpr Index kSide = 1024;

Image<float> noise(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  Image<float> image(shape);
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] = static_cast<float>(random.normal());
  }
  return image;
}

void count(benchmark::State& state, double multiply_adds) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * multiply_adds, benchmark::Counter::kIsIterationInvariantRate);
}

// Arguments: taps, method, threads.
CorrelateOptions options_of(const benchmark::State& state) {
  CorrelateOptions options;
  options.method = static_cast<ConvolutionMethod>(state.range(1));
  options.execution.threads = static_cast<int>(state.range(2));
  return options;
}

void correlate_with(benchmark::State& state, const Shape& image, const Shape& bank) {
  const Image<float> x = noise(image, 1);
  const Image<float> kernel = noise(bank, 2);
  const CorrelateOptions options = options_of(state);
  Image<float> out(correlate_shape(image, bank, options));
  for (auto _ : state) correlate<float>(x, kernel, out, options);
  const CorrelatePlan plan = plan_correlate<float>(image, kernel, options);
  state.SetLabel(std::string(method_name(plan.method)));
  count(state, plan.multiply_adds);
}

// A random kernel, of full rank.
void one_kernel(benchmark::State& state) {
  const Index taps = state.range(0);
  correlate_with(state, {1, 1, kSide, kSide}, {taps, taps});
}

// 32 filters on 32 channels.
void bank(benchmark::State& state) {
  const Index taps = state.range(0);
  correlate_with(state, {1, 32, 128, 128}, {32, 32, taps, taps});
}

// By image and kernel.
void vjp(benchmark::State& state) {
  const Index taps = state.range(0);
  const Shape shape{1, 1, kSide, kSide};
  const Image<float> x = noise(shape, 1);
  const Image<float> kernel = noise({taps, taps}, 2);
  const Image<float> cotangent = noise(shape, 3);
  Image<float> grad_x(shape);
  Image<float> grad_kernel(kernel.shape());
  const CorrelateOptions options = options_of(state);
  for (auto _ : state) {
    correlate_vjp<float>(x, kernel, cotangent, grad_x, grad_kernel, options);
  }
  count(state, 2.0 * static_cast<double>(x.elements() * taps * taps));
}

constexpr int kAuto = static_cast<int>(ConvolutionMethod::automatic);
constexpr int kDirect = static_cast<int>(ConvolutionMethod::direct);
constexpr int kSeparable = static_cast<int>(ConvolutionMethod::separable);
constexpr int kGemm = static_cast<int>(ConvolutionMethod::gemm);
constexpr int kFft = static_cast<int>(ConvolutionMethod::fft);

BENCHMARK(one_kernel)
    ->ArgNames({"taps", "method", "threads"})
    ->ArgsProduct({{3, 7, 15, 31}, {kAuto, kDirect, kSeparable, kFft}, {1}})
    ->ArgsProduct({{3, 7, 15, 31, 127}, {kAuto}, {2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(bank)
    ->ArgNames({"taps", "method", "threads"})
    ->ArgsProduct({{3, 7}, {kDirect, kGemm, kFft}, {1}})
    ->ArgsProduct({{3, 7}, {kAuto}, {2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(vjp)
    ->ArgNames({"taps", "method", "threads"})
    ->ArgsProduct({{7, 31}, {kAuto}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace blurfield
