// SPDX-License-Identifier: BSD-3-Clause
// Blurs with a tolerance of 1e-3: adaptive on 1024 x 1024 float, sigma within a quarter of an
// octave of its middle, reflected at the border; uniform on 2048 x 2048.
#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>

#include "blurfield/base/random.h"
#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield {
namespace {

constexpr Index kSide = 1024;
constexpr double kTolerance = 1e-3;
constexpr double kAspect = 4.0;
const Shape kShape{1, 1, kSide, kSide};

// Smooth, in -1..1.
double wave(Index y, Index x) {
  const double scale = 2.0 * std::numbers::pi / static_cast<double>(kSide - 1);
  const double fy = scale * static_cast<double>(y);
  const double fx = scale * static_cast<double>(x);
  return 0.5 * (std::sin(fx + 0.5 * fy) + std::cos(1.5 * fy - fx));
}

Image<float> sigma_field(double sigma) {
  Image<float> field(kShape);
  for (Index i = 0; i < field.elements(); ++i) {
    field.data()[i] = static_cast<float>(sigma * std::exp2(0.25 * wave(i / kSide, i % kSide)));
  }
  return field;
}

// Axes that turn, the minor one's sigma as above.
Image<float> covariance_field(double minor_sigma) {
  Image<float> field({1, 3, kSide, kSide});
  for (Index y = 0; y < kSide; ++y) {
    for (Index x = 0; x < kSide; ++x) {
      const double across = minor_sigma * std::exp2(0.25 * wave(y, x));
      const double along = kAspect * across;
      const double c = std::cos(3.0 * wave(y, x));
      const double s = std::sin(3.0 * wave(y, x));
      const Logchol theta = cov_to_logchol(Cov{s * s * along * along + c * c * across * across,
                                               s * c * (along * along - across * across),
                                               c * c * along * along + s * s * across * across});
      for (Index k = 0; k < 3; ++k) {
        field.view().at(0, k, y, x) = static_cast<float>(theta[static_cast<std::size_t>(k)]);
      }
    }
  }
  return field;
}

Image<float> noise(const Shape& shape) {
  Random random(1);
  Image<float> image(shape);
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] = static_cast<float>(random.uniform());
  }
  return image;
}

void count(benchmark::State& state, double pixels) {
  state.counters["Mpixel/s"] =
      benchmark::Counter(1e-6 * pixels, benchmark::Counter::kIsIterationInvariantRate);
}

enum class Pass { forward, vjp_field, vjp_image };

void run(benchmark::State& state, const Image<float>& field, BlurMethod method, Pass pass,
         int threads) {
  const Image<float> x = noise(kShape);
  AdaptiveBlurOptions options;
  options.tolerance = kTolerance;
  options.method = method;
  options.execution.threads = threads;
  Image<float> out(kShape);
  Image<float> grad(field.shape());
  for (auto _ : state) {
    if (pass == Pass::forward) adaptive_blur<float>(x, field, out, options);
    if (pass == Pass::vjp_field) adaptive_blur_vjp<float>(x, field, x, {}, grad, options);
    if (pass == Pass::vjp_image) adaptive_blur_vjp<float>(x, field, x, out, {}, options);
  }
  count(state, static_cast<double>(x.elements()));
}

// Arguments: sigma, threads.
template <Pass kPass>
void stack(benchmark::State& state) {
  run(state, sigma_field(static_cast<double>(state.range(0))), BlurMethod::stack, kPass,
      static_cast<int>(state.range(1)));
}

// Arguments: the minor axis's sigma, threads.
template <Pass kPass>
void residual(benchmark::State& state) {
  run(state, covariance_field(static_cast<double>(state.range(0))), BlurMethod::residual, kPass,
      static_cast<int>(state.range(1)));
}

// Arguments: sigma, threads.
void uniform(benchmark::State& state) {
  const Image<float> x = noise({1, 1, 2048, 2048});
  const std::array gaussian{static_cast<double>(state.range(0))};
  BlurOptions options;
  options.tolerance = kTolerance;
  options.execution.threads = static_cast<int>(state.range(1));
  Image<float> out(x.shape());
  for (auto _ : state) uniform_blur<float>(x, gaussian, out, options);
  count(state, static_cast<double>(x.elements()));
}

void sigmas(benchmark::internal::Benchmark* unit) {
  unit->ArgNames({"sigma", "threads"})
      ->ArgsProduct({{1, 2, 4, 8, 16, 32, 64}, {1, 2}})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void minors(benchmark::internal::Benchmark* unit) {
  unit->ArgNames({"minor", "threads"})
      ->ArgsProduct({{1, 2, 4, 8, 16}, {1, 2}})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

BENCHMARK(stack<Pass::forward>)->Apply(sigmas);
BENCHMARK(stack<Pass::vjp_field>)->Apply(sigmas);
BENCHMARK(stack<Pass::vjp_image>)->Apply(sigmas);
BENCHMARK(residual<Pass::forward>)->Apply(minors);
BENCHMARK(residual<Pass::vjp_field>)->Apply(minors);
BENCHMARK(residual<Pass::vjp_image>)->Apply(minors);
BENCHMARK(uniform)
    ->ArgNames({"sigma", "threads"})
    ->ArgsProduct({{2, 5, 20, 60, 200}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace blurfield
