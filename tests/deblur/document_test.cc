// SPDX-License-Identifier: BSD-3-Clause
// Document 004 with the built-in objective, against arrays computed elsewhere.
#include <gtest/gtest.h>

#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/objective.h"
#include "blurfield/autodiff/reduce.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/deblur/objective.h"
#include "blurfield/deblur/psf_operator.h"
#include "blurfield/optim/lbfgs.h"
#include "blurfield/optim/newton_cg.h"
#include "tests/support/derivatives.h"
#include "tests/support/npz.h"

namespace blurfield {
namespace {

const Shape kShape{1, 1, 171, 171};
constexpr double kMu = 0.2;
constexpr double kObjective = 2.058532;  // to be reached

std::span<const double> flat(const Image<double>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}
std::span<double> flat(Image<double>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}

// The document's objective built in, and the same typed on Vars.
struct Document {
  test::Npz data{"deblur.npz"};
  test::Npz points{"deblur_points.npz"};
  Image<double> psf = data["psf"].image<double>({13, 13});
  Image<double> blurred = data["blur"].image<double>(kShape);
  Image<double> sharp = points["astro"].image<double>(kShape);
  Image<double> start = points["point_start/x"].image<double>(kShape);
  std::unique_ptr<BlurOperator<double>> blur =
      psf_operator<double>(kShape, psf, {false, Mode::constant});
  FidelityTerm<double> fidelity{blurred, {.kind = Fidelity::norm}};
  PriorTerm<double> prior{kShape, {.kind = Prior::norm}};
  ObjectiveParts parts;
  Objective<double> built_in = deblur_objective<double>(*blur, fidelity, prior, kMu, 0, &parts);
  Objective<double> on_vars = objective<double>(
      [this](const Var<double>& x) {
        CorrelateOptions zeros;
        zeros.extension.mode = Mode::constant;
        const auto misfit = 0.5 * sum(square(convolve(x, borrow(psf), zeros) - borrow(blurred)));
        const auto rough = 0.5 * (sum(square(difference_y(x))) + sum(square(difference_x(x))));
        return sqrt(misfit) + kMu * sqrt(rough);
      },
      kShape);

  // A scene near neither the start nor the solution.
  Image<double> near_blurred() const {
    Image<double> x(kShape);
    std::transform(blurred.data(), blurred.data() + x.elements(), x.data(),
                   [](double v) { return 0.97 * v + 0.01; });
    return x;
  }
  double psnr(const Image<double>& x) const {
    const double error = test::norm(test::moved(x, -1, sharp));
    return 20 * std::log10(std::sqrt(static_cast<double>(x.elements())) / error);
  }
  Image<double> gradient(const Image<double>& x) const {
    Image<double> g(kShape);
    built_in.evaluate(flat(x), flat(g));
    return g;
  }
  Image<double> product(const Objective<double>& of, const Image<double>& x,
                        const Image<double>& v) const {
    Image<double> hv(kShape);
    of.hessian_product(flat(x), flat(v), flat(hv));
    return hv;
  }
};

TEST(Document004, ValueAndGradient) {
  const Document document;
  const auto check = [&](const test::Npz& from, const std::string& point, const Image<double>& x) {
    Image<double> g(kShape);
    const double value = document.built_in.evaluate(flat(x), flat(g));
    const double expected = from[point + "/objective"].number();
    EXPECT_NEAR(value, expected, 1e-12 * expected) << point;
    EXPECT_NEAR(document.built_in.evaluate(flat(x), {}), expected, 1e-12 * expected) << point;
    EXPECT_NEAR(document.parts.fidelity + kMu * document.parts.prior, value, 1e-14 * value);
    EXPECT_LT(test::distance(g, from[point + "/grad"].image<double>(kShape)), 1e-12) << point;
  };
  check(document.points, "point_start", document.start);
  check(document.data, "point_random", document.data["point_random/x"].image<double>(kShape));
  check(document.points, "point_blur", document.near_blurred());
}

TEST(Document004, HessianProducts) {
  const Document document;
  const auto v = test::random_image<double>(kShape, 1);
  const auto w = test::random_image<double>(kShape, 2);
  const Image<double> other = document.near_blurred();
  for (const Image<double>* at : {&document.start, &other}) {
    const Image<double>& x = *at;
    const auto hv = document.product(document.built_in, x, v);
    const auto hw = document.product(document.built_in, x, w);
    const double size = test::norm(hv);
    const auto typed = document.product(document.on_vars, x, v);
    EXPECT_LT(test::norm(test::moved(hv, -1, typed)), 1e-12 * size);
    EXPECT_NEAR(test::inner(hv, w), test::inner(hw, v), 1e-12 * size * test::norm(w));
    test::expect_slope(
        [&](double t) { return test::inner(document.gradient(test::moved(x, t, v)), w); },
        test::inner(hv, w), 1e-4);
  }
}

TEST(Document004, BothSolversReachTheBestKnown) {
  const Document document;
  const double best = document.points["best/objective"].number();
  const double psnr = document.points["best/psnr"].number();
  const auto check = [&](const char* name, const MinimiseResult& result, const Image<double>& x) {
    EXPECT_LE(result.value, kObjective) << name;
    EXPECT_GE(result.value, best - 1e-9) << name;
    EXPECT_NEAR(document.on_vars.evaluate(flat(x), {}), result.value, 1e-12) << name;
    EXPECT_NEAR(document.psnr(x), psnr, 2e-3) << name;
  };
  NewtonCgOptions<double> newton;
  newton.change_tolerance = 1e-9;
  Image<double> x(document.start.view());
  check("newton_cg", newton_cg<double>(document.built_in, flat(x), newton), x);
  LbfgsOptions<double> memory;
  memory.max_iterations = 500;
  memory.change_tolerance = 1e-9;
  x = Image<double>(document.start.view());
  check("lbfgs", lbfgs<double>(document.built_in, flat(x), memory), x);
}

}  // namespace
}  // namespace blurfield
