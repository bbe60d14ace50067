// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <iostream>
#include <utility>

#include "bench/peers/jobs.h"
#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/objective.h"
#include "blurfield/autodiff/reduce.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/deblur/objective.h"
#include "blurfield/deblur/psf_operator.h"
#include "blurfield/deblur/richardson_lucy.h"
#include "blurfield/optim/lbfgs.h"
#include "blurfield/optim/newton_cg.h"

namespace blurfield::bench {
namespace {

constexpr double kMu = 0.2;

// Document 004's objective, written by its value alone.
Objective<double> on_vars(const Image<double>& psf, const Image<double>& y, int threads) {
  const auto loss = [&psf, &y](const Var<double>& x) {
    CorrelateOptions zeros;
    zeros.extension.mode = Mode::constant;
    const auto misfit = sum(square(convolve(x, borrow(psf), zeros) - borrow(y))) / 2;
    const auto rough = (sum(square(difference_y(x))) + sum(square(difference_x(x)))) / 2;
    return sqrt(misfit) + kMu * sqrt(rough);
  };
  return objective<double>(loss, y.shape(), threads);
}

MinimiseResult solve(const std::string& solver, const Objective<double>& objective,
                     Image<double>& x, int threads) {
  const auto settle = [&](auto options, double tolerance) {
    options.max_iterations = 1000;
    options.change_tolerance = tolerance;
    options.threads = threads;
    return options;
  };
  const std::span<double> flat(x.data(), static_cast<std::size_t>(x.elements()));
  if (solver == "newton-cg") {
    return newton_cg<double>(objective, flat, settle(NewtonCgOptions<double>{}, 1e-9));
  }
  require(solver == "lbfgs", "ours", "no such solver: '", solver, "'");
  LbfgsOptions<double> options;
  options.memory = 4;  // more pairs would take longer than the evaluations that they save
  options.gradient_tolerance = 5e-6;  // half of what SciPy's stops at
  return lbfgs<double>(objective, flat, settle(options, 0.0));
}

}  // namespace

void document_job(std::istream& job) {
  Index height = 0;
  Index width = 0;
  int threads = 0;
  std::string form;
  std::string solver;
  std::string psf_path;
  std::string blurred_path;
  std::string start_path;
  job >> height >> width >> threads >> form >> solver >> psf_path >> blurred_path >> start_path;
  require(!job.fail() && (form == "built-in" || form == "var"), "ours",
          "expected document H W THREADS built-in|var SOLVER PSF BLURRED START");
  const auto psf = load<double>(psf_path, {13, 13});
  const auto y = load<double>(blurred_path, {1, 1, height, width});
  const auto start = load<double>(start_path, y.shape());
  MinimiseResult result;
  const Cost cost = measure([&] {
    Image<double> x(start.view());
    if (form == "var") {
      result = solve(solver, on_vars(psf, y, threads), x, threads);
      return;
    }
    const auto blur = psf_operator<double>(y.shape(), psf, {false, Mode::constant});
    const FidelityTerm<double> fidelity(y, {.kind = Fidelity::norm}, {}, threads);
    const PriorTerm<double> prior(y.shape(), {.kind = Prior::norm}, threads);
    result = solve(solver, deblur_objective(*blur, fidelity, prior, kMu, threads), x, threads);
  });
  std::cout.precision(12);
  std::cout << cost.seconds << ' ' << result.value << ' ' << result.evaluations << ' '
            << result.products << std::endl;
}

void richardson_lucy_job(std::istream& job) {
  Index height = 0;
  Index width = 0;
  Index side = 0;
  int threads = 0;
  RichardsonLucyOptions<double> options;
  std::string psf_path;
  std::string blurred_path;
  std::string out_path;
  job >> height >> width >> side >> threads >> options.max_iterations >> psf_path >> blurred_path >>
      out_path;
  require(!job.fail(), "ours",
          "expected richardson-lucy H W SIDE THREADS ITERATIONS PSF BLURRED OUT");
  const auto psf = load<double>(psf_path, {side, side});
  const auto y = load<double>(blurred_path, {1, 1, height, width});
  options.accelerate = false;  // as the peer does
  options.sensitivity = false;
  options.threads = threads;
  Image<double> x(y.shape());
  const Cost cost = measure([&] {
    std::fill_n(x.data(), x.elements(), 0.5);
    const auto blur = psf_operator<double>(y.shape(), psf, {false, Mode::constant});
    richardson_lucy<double>(*blur, y, x, options);
  });
  save(out_path, std::array{&std::as_const(x)});
  std::cout << cost.seconds << std::endl;
}

}  // namespace blurfield::bench
