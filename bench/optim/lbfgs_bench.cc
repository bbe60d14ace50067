// SPDX-License-Identifier: BSD-3-Clause
// What optimisers cost beside their objective, on 1024 x 1024 doubles. GB/s count each vector that
// a pass reads or writes.
#include <benchmark/benchmark.h>

#include <vector>

#include "blurfield/optim/adamax.h"
#include "blurfield/optim/lbfgs.h"

namespace blurfield {
namespace {

constexpr std::size_t kSize = 1024 * 1024;
constexpr int kIterations = 40;

// A quadratic of which no step is the last; costs three vectors itself.
Objective<double> bowl() {
  Objective<double> objective;
  objective.evaluate = [](std::span<const double> x, std::span<double> gradient) {
    return parallel_sum(static_cast<Index>(x.size()), 0, [&](Index begin, Index end) {
      double sum = 0.0;
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        const double slope = (1.0 + static_cast<double>(i % 97)) * (x[i] - 1.0);
        gradient[i] = slope;
        sum += slope * (x[i] - 1.0) / 2;
      }
      return sum;
    });
  };
  return objective;
}

template <class Run>
void measure(benchmark::State& state, double vectors, const Run& run) {
  int iterations = 0;
  for (auto _ : state) {
    std::vector<double> x(kSize);
    iterations += run(x).iterations;
  }
  const double bytes = vectors * sizeof(double) * kSize * iterations;
  state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsRate);
  state.counters["per iteration"] =
      benchmark::Counter(iterations, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Arguments: memory, threads.
void lbfgs_iterations(benchmark::State& state) {
  LbfgsOptions<double> options;
  options.max_iterations = kIterations;
  options.memory = static_cast<int>(state.range(0));
  options.threads = static_cast<int>(state.range(1));
  // Four per pass of the recursion, of which there are two per pair; 20 for the rest.
  measure(state, 8.0 * options.memory + 20,
          [&](std::vector<double>& x) { return lbfgs<double>(bowl(), x, options); });
}
BENCHMARK(lbfgs_iterations)
    ->ArgsProduct({{5, 10}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Argument: threads.
void adamax_iterations(benchmark::State& state) {
  AdamaxOptions<double> options;
  options.max_iterations = kIterations;
  options.threads = static_cast<int>(state.range(0));
  // Seven in the update, six in the objective and its check.
  measure(state, 13, [&](std::vector<double>& x) { return adamax<double>(bowl(), x, options); });
}
BENCHMARK(adamax_iterations)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace blurfield
