// SPDX-License-Identifier: BSD-3-Clause
// Document 004's objective in double, written by its value alone, beside the same with gradient and
// Hessian product fused by hand: sqrt(|psf * x - y|^2 / 2) + mu sqrt(|D x|^2 / 2). The convolutions
// cost both the same.
#include <benchmark/benchmark.h>

#include <cmath>

#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/objective.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/base/random.h"
#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield {
namespace {

constexpr double kMu = 0.2;

struct Setup {
  explicit Setup(Index side)
      : x({1, 1, side, side}), v(x.shape()), y(x.shape()), psf({13, 13}), result(x.shape()) {
    Random random(1);
    for (Image<double>* image : {&x, &v, &y}) {
      for (Index i = 0; i < image->elements(); ++i) image->data()[i] = random.normal();
    }
    const Kernel2d kernel = gaussian_kernel2d({1.0, 3.0}, {6, 6});
    std::copy(kernel.taps.begin(), kernel.taps.end(), psf.data());
    options.extension.mode = Mode::constant;
  }
  static std::span<const double> flat(const Image<double>& image) {
    return {image.data(), static_cast<std::size_t>(image.elements())};
  }
  std::span<double> out() { return {result.data(), static_cast<std::size_t>(result.elements())}; }
  Image<double> x;
  Image<double> v;
  Image<double> y;
  Image<double> psf;
  Image<double> result;
  CorrelateOptions options;
};

// Value, gradient and Hessian products with as few passes as there can be.
class ByHand {
 public:
  explicit ByHand(const Setup& setup)
      : s_(setup), error_(setup.x.shape()), adjoint_(error_.shape()) {}

  double gradient(const Image<double>& x, const View<double>& out) {
    correlate<double>(x, s_.psf, error_, s_.options);
    const double squares = sum([&](Index i) {
      error_.data()[i] -= s_.y.data()[i];
      return error_.data()[i] * error_.data()[i];
    });
    misfit_ = std::sqrt(squares / 2);
    roughness_ = std::sqrt(rough(x, x) / 2);
    correlate_vjp<double>(x, s_.psf, error_, adjoint_, {}, s_.options);
    laplacian(x, adjoint_, 0.5 / misfit_, 0.5 * kMu / roughness_, out);
    return misfit_ + kMu * roughness_;
  }

  // After gradient(x): H v = (J^T J v - J^T r <r, J v> / (2 f^2)) / (2 f), and so for the other
  // term.
  void product(const Image<double>& x, const Image<double>& v, const View<double>& out) {
    Image<double> blurred = Image<double>::uninitialised(v.shape());
    correlate<double>(v, s_.psf, blurred, s_.options);
    const double along = sum([&](Index i) { return blurred.data()[i] * error_.data()[i]; });
    const double a = along / (2 * misfit_ * misfit_);
    sum([&](Index i) {
      blurred.data()[i] -= a * error_.data()[i];
      return 0.0;
    });
    Image<double> back = Image<double>::uninitialised(v.shape());
    correlate_vjp<double>(v, s_.psf, blurred, back, {}, s_.options);
    const double b = rough(x, v) / (2 * roughness_ * roughness_);
    sum([&](Index i) {
      blurred.data()[i] = v.data()[i] - b * x.data()[i];
      return 0.0;
    });
    laplacian(blurred, back, 0.5 / misfit_, 0.5 * kMu / roughness_, out);
  }

 private:
  template <class Term>
  double sum(const Term& term) const {
    return parallel_sum(error_.elements(), 0, [&](Index begin, Index end) {
      double total = 0.0;
      for (Index i = begin; i < end; ++i) total += term(i);
      return total;
    });
  }
  // <D a, D b>
  double rough(const Image<double>& a, const Image<double>& b) const {
    const Index width = a.shape()[3];
    const Index height = a.shape()[2];
    std::vector<double> rows(static_cast<std::size_t>(height));
    parallel_for(height, {}, [&](Index y) {
      const double* p = a.data() + y * width;
      const double* q = b.data() + y * width;
      double total = 0.0;
      for (Index x = 0; x + 1 < width; ++x) total += (p[x + 1] - p[x]) * (q[x + 1] - q[x]);
      for (Index x = 0; y + 1 < height && x < width; ++x) {
        total += (p[x + width] - p[x]) * (q[x + width] - q[x]);
      }
      rows[static_cast<std::size_t>(y)] = total;
    });
    double total = 0.0;
    for (double row : rows) total += row;
    return total;
  }
  // out = a back + b D^T D x
  void laplacian(const Image<double>& x, const Image<double>& back, double a, double b,
                 const View<double>& out) const {
    const Index width = x.shape()[3];
    const Index height = x.shape()[2];
    parallel_for(height, {}, [&](Index y) {
      const double* p = x.data() + y * width;
      const double* q = back.data() + y * width;
      double* to = out.row(0, 0, y);
      const double* up = y > 0 ? p - width : p;
      const double* down = y + 1 < height ? p + width : p;
      for (Index i = 0; i < width; ++i) {
        to[i] = a * q[i] + b * (2 * p[i] - up[i] - down[i]);
      }
      for (Index i = 1; i < width; ++i) to[i] += b * (p[i] - p[i - 1]);
      for (Index i = 0; i + 1 < width; ++i) to[i] += b * (p[i] - p[i + 1]);
    });
  }

  const Setup& s_;
  Image<double> error_;
  Image<double> adjoint_;
  double misfit_ = 0.0;
  double roughness_ = 0.0;
};

Objective<double> by_value(const Setup& setup) {
  return objective<double>(
      [&setup, psf = borrow(setup.psf), y = borrow(setup.y)](const Var<double>& x) {
        const auto misfit = 0.5 * sum(square(correlate(x, psf, setup.options) - y));
        const auto rough = 0.5 * sum(square(difference_y(x))) + 0.5 * sum(square(difference_x(x)));
        return sqrt(misfit) + kMu * sqrt(rough);
      },
      setup.x.shape());
}

void gradient(benchmark::State& state, bool hand) {
  Setup setup(state.range(0));
  ByHand fused(setup);
  const auto f = by_value(setup);
  for (auto _ : state) {
    benchmark::DoNotOptimize(hand ? fused.gradient(setup.x, setup.result)
                                  : f.evaluate(Setup::flat(setup.x), setup.out()));
  }
}

// A step of Newton-CG: value, gradient and ten products.
void step(benchmark::State& state, bool hand) {
  Setup setup(state.range(0));
  ByHand fused(setup);
  const auto f = by_value(setup);
  for (auto _ : state) {
    benchmark::DoNotOptimize(hand ? fused.gradient(setup.x, setup.result)
                                  : f.evaluate(Setup::flat(setup.x), setup.out()));
    for (int i = 0; i < 10; ++i) {
      if (hand) {
        fused.product(setup.x, setup.v, setup.result);
      } else {
        f.hessian_product(Setup::flat(setup.x), Setup::flat(setup.v), setup.out());
      }
    }
  }
}

void sides(benchmark::internal::Benchmark* bench) {
  bench->ArgName("side")->Arg(171)->Arg(1024)->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(gradient, by_hand, true)->Name("autodiff/deblur_gradient_by_hand")->Apply(sides);
BENCHMARK_CAPTURE(gradient, autodiff, false)->Name("autodiff/deblur_gradient")->Apply(sides);
BENCHMARK_CAPTURE(step, by_hand, true)->Name("autodiff/deblur_newton_step_by_hand")->Apply(sides);
BENCHMARK_CAPTURE(step, autodiff, false)->Name("autodiff/deblur_newton_step")->Apply(sides);

}  // namespace
}  // namespace blurfield
