// SPDX-License-Identifier: BSD-3-Clause
// Document 004's objective in double, built in and typed on Vars, sqrt(|psf * x - y|^2 / 2) + mu
// sqrt(|D x|^2 / 2); and, in float, what deblur() minimises. Arguments: side, threads.
#include <benchmark/benchmark.h>

#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/objective.h"
#include "blurfield/autodiff/reduce.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/base/random.h"
#include "blurfield/deblur/objective.h"
#include "blurfield/deblur/psf_operator.h"
#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield {
namespace {

constexpr double kMu = 0.2;

template <class T>
Image<T> noise(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  Image<T> image(shape);
  for (Index i = 0; i < image.elements(); ++i) image.data()[i] = static_cast<T>(random.normal());
  return image;
}

Image<double> psf() {
  const Kernel2d kernel = gaussian_kernel2d({1.0, 3.0}, {6, 6});
  Image<double> image({13, 13});
  std::copy(kernel.taps.begin(), kernel.taps.end(), image.data());
  return image;
}

// Everything that an objective needs to stay.
template <class T>
struct Terms {
  Terms(Index side, int limit, const Border& border, Fidelity fit, Prior kind)
      : threads(limit),
        y(noise<T>({1, 1, side, side}, 1)),
        blur(psf_operator<T>(y.shape(), psf(), border)),
        fidelity(y, {.kind = fit}, {}, threads),
        prior(blur->scene(), {.kind = kind}, threads) {}
  Objective<T> objective() const {
    return deblur_objective<T>(*blur, fidelity, prior, kMu, threads);
  }
  int threads;
  Image<T> y;
  std::unique_ptr<BlurOperator<T>> blur;
  FidelityTerm<T> fidelity;
  PriorTerm<T> prior;
};

Terms<double> document(const benchmark::State& state) {
  return {state.range(0),
          static_cast<int>(state.range(1)),
          {false, Mode::constant},
          Fidelity::norm,
          Prior::norm};
}

Objective<double> typed(const Terms<double>& terms, const Image<double>& kernel) {
  const auto loss = [&terms, &kernel](const Var<double>& x) {
    CorrelateOptions zeros;
    zeros.extension.mode = Mode::constant;
    const auto misfit = sum(square(convolve(x, borrow(kernel), zeros) - borrow(terms.y))) / 2;
    const auto rough = (sum(square(difference_y(x))) + sum(square(difference_x(x)))) / 2;
    return sqrt(misfit) + kMu * sqrt(rough);
  };
  return objective<double>(loss, terms.y.shape(), terms.threads);
}

// Value and gradient, and then as many Hessian products: a step of Newton-CG.
template <class T>
void step(benchmark::State& state, const Objective<T>& objective, const Shape& scene,
          int products) {
  const Image<T> x = noise<T>(scene, 2);
  const Image<T> v = noise<T>(scene, 3);
  Image<T> out(scene);
  const auto size = static_cast<std::size_t>(scene.elements());
  for (auto _ : state) {
    benchmark::DoNotOptimize(objective.evaluate({x.data(), size}, {out.data(), size}));
    for (int i = 0; i < products; ++i) {
      objective.hessian_product({x.data(), size}, {v.data(), size}, {out.data(), size});
    }
  }
}

void built_in(benchmark::State& state, int products) {
  const Terms<double> terms = document(state);
  step(state, terms.objective(), terms.y.shape(), products);
}

void on_vars(benchmark::State& state, int products) {
  const Terms<double> terms = document(state);
  const Image<double> kernel = psf();
  step(state, typed(terms, kernel), terms.y.shape(), products);
}

void automatic(benchmark::State& state, int products) {
  const Terms<float> terms(state.range(0), static_cast<int>(state.range(1)), {}, Fidelity::gaussian,
                           PriorOptions{}.kind);
  step(state, terms.objective(), terms.blur->scene(), products);
}

void sides(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"side", "threads"})->Args({171, 1})->Args({1024, 1})->Args({1024, 2});
  bench->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(built_in, gradient, 0)->Name("deblur/gradient_built_in")->Apply(sides);
BENCHMARK_CAPTURE(on_vars, gradient, 0)->Name("deblur/gradient_on_vars")->Apply(sides);
BENCHMARK_CAPTURE(built_in, step, 10)->Name("deblur/newton_step_built_in")->Apply(sides);
BENCHMARK_CAPTURE(on_vars, step, 10)->Name("deblur/newton_step_on_vars")->Apply(sides);
BENCHMARK_CAPTURE(automatic, gradient, 0)->Name("deblur/gradient_of_deblur")->Apply(sides);
BENCHMARK_CAPTURE(automatic, step, 10)->Name("deblur/newton_step_of_deblur")->Apply(sides);

}  // namespace
}  // namespace blurfield
