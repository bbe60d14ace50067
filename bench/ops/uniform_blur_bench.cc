// SPDX-License-Identifier: BSD-3-Clause
// Uniform blur of a 2048 x 2048 float image. GFLOP/s count two operations per tap.
#include <benchmark/benchmark.h>

#include "blurfield/base/random.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield {
namespace {

using Parameters = std::vector<double>;

const Image<float>& picture() {
  static const Image<float> image = [] {
    Image<float> noise({1, 1, 2048, 2048});
    Random random(1);
    for (Index i = 0; i < noise.elements(); ++i) {
      noise.data()[i] = static_cast<float>(random.uniform());
    }
    return noise;
  }();
  return image;
}

void count(benchmark::State& state, const Parameters& p, double passes) {
  const double flops = 2.0 * passes * uniform_blur_taps(picture().shape(), p);
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

// Arguments: 10 sigma, threads.
void forward(benchmark::State& state) {
  const Parameters p{0.1 * static_cast<double>(state.range(0))};
  BlurOptions options;
  options.execution.threads = static_cast<int>(state.range(1));
  Image<float> out(picture().shape());
  for (auto _ : state) uniform_blur<float>(picture(), p, out, options);
  count(state, p, 1);
}
BENCHMARK(forward)
    ->ArgsProduct({{10, 30, 80, 200}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void vjp(benchmark::State& state) {
  const Parameters p{0.1 * static_cast<double>(state.range(0))};
  Image<float> grad_x(picture().shape());
  double grad = 0.0;
  for (auto _ : state) {
    uniform_blur_vjp<float>(picture(), p, picture(), grad_x, {&grad, 1});
    benchmark::DoNotOptimize(grad);
  }
  count(state, p, 3);  // the adjoint, and two terms for the derivative
}
BENCHMARK(vjp)->Arg(10)->Arg(30)->Arg(80)->Unit(benchmark::kMillisecond)->UseRealTime();

// Sigmas about 5 and 3, correlation about 0.6.
void full_covariance(benchmark::State& state) {
  const Parameters p{1.6, 2.0, 1.0};
  Image<float> out(picture().shape());
  for (auto _ : state) uniform_blur<float>(picture(), p, out);
  count(state, p, 1);
}
BENCHMARK(full_covariance)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace blurfield
