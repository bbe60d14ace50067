// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/objective.h"

#include <gmock/gmock.h>

#include "tests/support/blur_operators.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

constexpr double kLambda = 0.7;

template <class T>
std::span<T> flat(Image<T>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}
template <class T>
std::span<const T> flat(const Image<T>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}

// An objective and what it is made of, for a blur.
template <class T>
struct Made {
  Made(const BlurOperator<T>& of, const FidelityOptions& misfit, const PriorOptions& rough,
       int threads = 0)
      : blur(of),
        y(test::random_field<T>(of.frame(), 0.5, 3.0, 1)),
        fidelity(y, misfit, {}, threads),
        prior(of.scene(), rough, threads),
        objective(deblur_objective(of, fidelity, prior, kLambda, threads, &parts)) {}

  Image<T> gradient(const Image<T>& x) const {
    Image<T> g = test::constant_image<T>(x.shape(), NAN);
    objective.evaluate(flat(x), flat(g));
    return g;
  }
  Image<T> product(const Image<T>& x, const Image<T>& v) const {
    Image<T> hv = test::constant_image<T>(x.shape(), NAN);
    objective.hessian_product(flat(x), flat(v), flat(hv));
    return hv;
  }

  const BlurOperator<T>& blur;
  Image<T> y;
  FidelityTerm<T> fidelity;
  PriorTerm<T> prior;
  ObjectiveParts parts;
  Objective<T> objective;
};

// Smooth ones: all others' kinks are the fidelity's and the prior's own.
std::vector<FidelityOptions> misfits() {
  return {{.kind = Fidelity::gaussian, .noise = 0.4},
          {.kind = Fidelity::poisson, .gain = 0.3, .background = 2.0},
          {.kind = Fidelity::norm}};
}

TEST(DeblurObjective, IsTheSumOfItsPartsWithExactDerivatives) {
  for (const Border& border : {Border{}, Border{false, Mode::nearest}}) {
    for (const auto& model : test::all_models<double>({1, 2, 14, 12}, border)) {
      for (const FidelityOptions& misfit : misfits()) {
        SCOPED_TRACE(model.name + ", " + std::string(fidelity_name(misfit.kind)));
        const Made<double> made(*model.blur, misfit, {Prior::tv, 0.3, true});
        const auto x = test::random_field<double>(model.blur->scene(), 0.5, 3.0, 2);
        const auto d = test::random_image<double>(x.shape(), 3);
        const auto e = test::random_image<double>(x.shape(), 4);
        const double value = made.objective.evaluate(flat(x), {});
        EXPECT_EQ(made.parts.fidelity, made.fidelity.value(test::forward(*model.blur, x)));
        EXPECT_EQ(made.parts.prior, made.prior.value(x));
        EXPECT_EQ(value, made.parts.fidelity + kLambda * made.parts.prior);
        Image<double> g(x.shape());
        EXPECT_NEAR(made.objective.evaluate(flat(x), flat(g)), value, 1e-12 * value);
        test::expect_slope(
            [&](double t) { return made.objective.evaluate(flat(test::moved(x, t, d)), {}); },
            test::inner(g, d));
        const auto hd = made.product(x, d);
        test::expect_slope(
            [&](double t) { return test::inner(made.gradient(test::moved(x, t, d)), e); },
            test::inner(hd, e));
        EXPECT_NEAR(test::inner(hd, e), test::inner(made.product(x, e), d),
                    1e-12 * test::norm(hd) * test::norm(e));
      }
    }
  }
}

TEST(DeblurObjective, ProductsFollowTheScene) {
  const auto blur = psf_operator<double>({1, 1, 11, 13}, test::lopsided_psf(3, 5), {});
  const FidelityOptions misfit{.kind = Fidelity::poisson, .background = 1.0};
  const Made<double> made(*blur, misfit, {Prior::tv, 0.3, true});
  const auto v = test::random_image<double>(blur->scene(), 1);
  auto x = test::random_field<double>(blur->scene(), 0.5, 3.0, 2);
  const auto there = made.product(x, v);
  x.data()[blur->scene().elements() - 1] += 1.0;  // the same array, another scene
  const auto here = made.product(x, v);
  EXPECT_FALSE(test::same_bits(there, here));
  const Made<double> fresh(*blur, misfit, {Prior::tv, 0.3, true});
  EXPECT_TRUE(test::same_bits(fresh.product(x, v), here));
}

TEST(DeblurObjective, GivesTheSameForAnyNumberOfThreads) {
  const auto blur = psf_operator<float>({2, 2, 130, 150}, test::lopsided_psf(3, 5), {});
  const auto x = test::random_field<float>(blur->scene(), 0.5, 3.0, 2);
  const auto v = test::random_image<float>(blur->scene(), 3);
  for (const FidelityOptions& misfit : misfits()) {
    const Made<float> alone(*blur, misfit, {}, 1);
    const double value = alone.objective.evaluate(flat(x), {});
    const auto g = alone.gradient(x);
    const auto hv = alone.product(x, v);
    for (int threads : {2, 5}) {
      const Made<float> made(*blur, misfit, {}, threads);
      EXPECT_EQ(made.objective.evaluate(flat(x), {}), value);
      EXPECT_TRUE(test::same_bits(made.gradient(x), g));
      EXPECT_TRUE(test::same_bits(made.product(x, v), hv));
    }
  }
}

TEST(DeblurObjective, RefusesANegativeLambda) {
  const auto blur = psf_operator<double>({1, 1, 11, 13}, test::lopsided_psf(3, 5), {});
  const Made<double> made(*blur, {}, {});
  for (const double lambda : {-1.0, double{NAN}}) {
    EXPECT_EQ(
        test::error_of([&] { deblur_objective<double>(*blur, made.fidelity, made.prior, lambda); }),
        message("deblur_objective: expected lambda >= 0, got ", lambda));
  }
}

}  // namespace
}  // namespace blurfield
