// SPDX-License-Identifier: BSD-3-Clause
// Iterations of Richardson-Lucy on 512 x 512 float, a margin of scene around the frame, under a
// disk. Argument: threads.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "blurfield/base/random.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/deblur/psf_operator.h"
#include "blurfield/deblur/richardson_lucy.h"

namespace blurfield {
namespace {

void iterations(benchmark::State& state, double radius, bool accelerate, double tv) {
  const auto blur = psf_operator<float>({1, 1, 512, 512}, disk_psf(radius));
  Random random(1);
  Image<float> y(blur->frame());
  for (Index i = 0; i < y.elements(); ++i) y.data()[i] = static_cast<float>(random.uniform(0.1, 1));
  Image<float> x(blur->scene());
  RichardsonLucyOptions<float> options;
  options.max_iterations = 10;
  options.accelerate = accelerate;
  options.tv = tv;
  options.threads = static_cast<int>(state.range(0));
  int done = 0;
  for (auto _ : state) {
    std::fill_n(x.data(), x.elements(), 0.5f);
    done += richardson_lucy<float>(*blur, y, x, options).iterations;
  }
  state.counters["per iteration"] =
      benchmark::Counter(done, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void threads(benchmark::internal::Benchmark* bench) {
  bench->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(iterations, plain, 6.0, false, 0.0)
    ->Name("deblur/richardson_lucy")
    ->Apply(threads);
BENCHMARK_CAPTURE(iterations, accelerated, 6.0, true, 0.0)
    ->Name("deblur/richardson_lucy_accelerated")
    ->Apply(threads);
BENCHMARK_CAPTURE(iterations, tv, 6.0, false, 0.01)
    ->Name("deblur/richardson_lucy_tv")
    ->Apply(threads);
BENCHMARK_CAPTURE(iterations, wide, 31.0, false, 0.0)
    ->Name("deblur/richardson_lucy_wide")
    ->Apply(threads);

}  // namespace
}  // namespace blurfield
