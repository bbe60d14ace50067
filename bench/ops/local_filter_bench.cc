// SPDX-License-Identifier: BSD-3-Clause
// Local filter of float images. GB/s count the weights alone, once: they are read, or written for
// their gradient. `copy` reads and writes as many numbers.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "blurfield/ops/local_filter.h"

namespace blurfield {
namespace {

constexpr Index kSide = 1024;

// Arguments: channels, extent of the window, threads.
struct Setup {
  explicit Setup(const benchmark::State& state)
      : x({1, state.range(0), kSide, kSide}),
        weights({1, state.range(1) * state.range(1), kSide, kSide}) {
    options.window = {state.range(1), state.range(1)};
    options.execution.threads = static_cast<int>(state.range(2));
    std::fill_n(x.data(), x.elements(), 0.5F);
    std::fill_n(weights.data(), weights.elements(), 0.25F);
  }
  void count(benchmark::State& state) const {
    const double bytes = sizeof(float) * static_cast<double>(weights.elements());
    state.counters["GB/s"] =
        benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  }
  Image<float> x;
  Image<float> weights;
  LocalFilterOptions options;
};

void forward(benchmark::State& state) {
  const Setup setup(state);
  Image<float> out(setup.x.shape());
  for (auto _ : state) local_filter<float>(setup.x, setup.weights, out, setup.options);
  setup.count(state);
}

void grad_x(benchmark::State& state) {
  const Setup setup(state);
  Image<float> grad(setup.x.shape());
  for (auto _ : state) {
    local_filter_vjp<float>(setup.x, setup.weights, setup.x, grad, {}, setup.options);
  }
  setup.count(state);
}

// Reads the weights too, to see that they are finite.
void grad_weights(benchmark::State& state) {
  const Setup setup(state);
  Image<float> grad(setup.weights.shape());
  for (auto _ : state) {
    local_filter_vjp<float>(setup.x, setup.weights, setup.x, {}, grad, setup.options);
  }
  setup.count(state);
}

void copy(benchmark::State& state) {
  const Setup setup(state);
  Image<float> to(setup.weights.shape());
  constexpr Index kPart = 1 << 18;
  for (auto _ : state) {
    parallel_for(to.elements() / kPart, setup.options.execution, [&](Index i) {
      std::copy_n(setup.weights.data() + i * kPart, kPart, to.data() + i * kPart);
    });
    benchmark::DoNotOptimize(to.data());
  }
  setup.count(state);
}

void arguments(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "window", "threads"})
      ->ArgsProduct({{1, 3}, {3, 7}, {1, 2}})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}
BENCHMARK(forward)->Apply(arguments);
BENCHMARK(grad_x)->Apply(arguments);
BENCHMARK(grad_weights)->Apply(arguments);
BENCHMARK(copy)
    ->ArgNames({"channels", "window", "threads"})
    ->ArgsProduct({{1}, {7}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace blurfield
