// SPDX-License-Identifier: BSD-3-Clause
// What automatic differentiation costs: value and gradient of |adaptive_blur(x, exp(s)) - y|^2 / 2
// by s on 512 x 512 floats, beside the same by hand with the operation's own vjp; and the time per
// recorded function where there is next to nothing to compute.
#include <benchmark/benchmark.h>

#include <cmath>

#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/grad.h"
#include "blurfield/base/random.h"

namespace blurfield {
namespace {

constexpr Index kSide = 512;

// An image, its blurred version and log sigma from 0.5 to 4 pixels.
struct Setup {
  Setup() : x({1, 1, kSide, kSide}), y(x.shape()), s(x.shape()) {
    Random random(1);
    for (Index i = 0; i < x.elements(); ++i) {
      x.data()[i] = static_cast<float>(random.normal());
      y.data()[i] = static_cast<float>(random.normal());
      s.data()[i] = static_cast<float>(std::log(0.5 + 3.5 * random.uniform()));
    }
  }
  Image<float> x;
  Image<float> y;
  Image<float> s;
};

// `body(i)` for all pixels.
template <class Body>
void for_each(Index count, int threads, const Body& body) {
  parallel_slices(count, threads, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) body(i);
  });
}

void by_hand(benchmark::State& state) {
  const Setup setup;
  AdaptiveBlurOptions options;
  options.execution.threads = static_cast<int>(state.range(0));
  const Index count = setup.x.elements();
  for (auto _ : state) {
    auto sigma = Image<float>::uninitialised(setup.x.shape());
    auto error = Image<float>::uninitialised(setup.x.shape());
    auto gradient = Image<float>::uninitialised(setup.x.shape());
    for_each(count, options.execution.threads,
             [&](Index i) { sigma.data()[i] = std::exp(setup.s.data()[i]); });
    adaptive_blur<float>(setup.x, sigma, error, options);
    const double value =
        parallel_sum(count, options.execution.threads, [&](Index begin, Index end) {
          double sum = 0.0;
          for (Index i = begin; i < end; ++i) {
            error.data()[i] -= setup.y.data()[i];
            sum += 0.5 * double{error.data()[i]} * double{error.data()[i]};
          }
          return sum;
        });
    adaptive_blur_vjp<float>(setup.x, sigma, error, {}, gradient, options);
    for_each(count, options.execution.threads,
             [&](Index i) { gradient.data()[i] *= sigma.data()[i]; });
    benchmark::DoNotOptimize(value);
    benchmark::DoNotOptimize(gradient.data());
  }
}

void by_autodiff(benchmark::State& state) {
  const Setup setup;
  const Var<float> x = borrow(setup.x, static_cast<int>(state.range(0)));
  const Var<float> y = borrow(setup.y);
  for (auto _ : state) {
    const auto result = value_and_grad(
        [&](const Var<float>& s) { return 0.5 * sum(square(adaptive_blur(x, exp(s)) - y)); },
        setup.s);
    benchmark::DoNotOptimize(result.gradient[0].data());
  }
}

// Recording and sweeping `length` products of one number.
void per_node(benchmark::State& state) {
  Image<double> x({1});
  x.data()[0] = 1.0;
  constexpr int kLength = 1000;
  for (auto _ : state) {
    const auto result = value_and_grad(
        [](const Var<double>& a) {
          Var<double> product = a;
          for (int i = 0; i < kLength; ++i) product = product * a;
          return product;
        },
        x);
    benchmark::DoNotOptimize(result.value);
  }
  state.counters["s per node"] = benchmark::Counter(
      kLength, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK(by_hand)
    ->Name("autodiff/blur_by_hand")
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(by_autodiff)
    ->Name("autodiff/blur")
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(per_node)->Name("autodiff/node")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace blurfield
