// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/primal_dual.h"

#include <gtest/gtest.h>

#include "blurfield/deblur/objective.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/optim/lbfgs.h"
#include "tests/support/deblurring.h"

namespace blurfield {
namespace {

template <class T>
class PrimalDual : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PrimalDual, Types);

using test::fidelity_of;
using test::frame_start;
using test::grey_start;
using test::kExtend;
using test::prior_of;
using test::recorded;
using test::rounds;

// The least value that L-BFGS reaches for a smooth prior.
double least(const BlurOperator<double>& blur, const FidelityTerm<double>& fidelity,
             const PriorTerm<double>& prior, double lambda, const Bounds<double>& bounds = {}) {
  Image<double> x = grey_start(blur);
  LbfgsOptions<double> options;
  options.max_iterations = 1500;
  options.change_tolerance = 1e-9;
  options.bounds = bounds;
  return lbfgs(deblur_objective(blur, fidelity, prior, lambda),
               std::span(x.data(), static_cast<std::size_t>(x.elements())), options)
      .value;
}

TEST(PrimalDualHuber, ReachesTheMinimumOfLbfgs) {
  const double noise = 0.01;
  const auto blur = psf_operator<double>({2, 3, 14, 13}, test::lopsided_psf(5, 3), kExtend);
  const Image<double> y = recorded(*blur, noise);
  const Image<double> weight = test::random_field<double>({1, 1, 14, 13}, 0.0, 2.0, 8);
  const double lower = 0.2;
  const double upper = 0.7;
  for (Fidelity kind : {Fidelity::gaussian, Fidelity::huber, Fidelity::poisson}) {
    for (bool joint : {true, false}) {
      for (bool bounded : {true, false}) {
        // Below 0 counts the likelihood of none falls for ever.
        if (kind == Fidelity::poisson && !bounded) continue;
        SCOPED_TRACE(message(fidelity_name(kind), ", joint ", joint, ", bounded ", bounded));
        const FidelityTerm<double> fidelity(y, fidelity_of(kind, noise), weight);
        const PriorTerm<double> prior(blur->scene(), prior_of(Prior::huber_tv, 0.01, joint));
        const double lambda = 10.0;
        Image<double> x = grey_start(*blur);
        auto options = rounds<double>(1500);
        Bounds<double> bounds;
        if (bounded) {
          options.lower = lower;
          options.upper = upper;
          bounds = {{&lower, 1}, {&upper, 1}};
        }
        const auto result = primal_dual<double>(*blur, fidelity, prior, lambda, x, options);
        EXPECT_NEAR(result.value / least(*blur, fidelity, prior, lambda, bounds), 1.0, 1e-4);
        const double direct =
            fidelity.value(test::forward(*blur, x)) + lambda * prior.value(x, false);
        EXPECT_NEAR(result.value, direct, 1e-9 * direct);
        if (!bounded) continue;
        const auto [low, high] = std::minmax_element(x.data(), x.data() + x.elements());
        EXPECT_EQ(*low, lower);
        EXPECT_TRUE(kind == Fidelity::poisson ? *high < upper : *high == upper) << *high;
      }
    }
  }
}

// The steps are safe for every blur: a norm taken too small would make them diverge.
TEST(PrimalDualSteps, SuitEveryBlur) {
  for (const auto& model : test::all_models<double>({1, 1, 12, 14}, kExtend)) {
    SCOPED_TRACE(model.name);
    const Image<double> y = recorded(*model.blur, 0.01);
    const FidelityTerm<double> fidelity(y, fidelity_of(Fidelity::gaussian, 0.01));
    const PriorTerm<double> prior(model.blur->scene(), prior_of(Prior::huber_tv));
    Image<double> x = grey_start(*model.blur);
    const auto result =
        primal_dual<double>(*model.blur, fidelity, prior, 20.0, x, rounds<double>(500));
    EXPECT_NEAR(result.value / least(*model.blur, fidelity, prior, 20.0), 1.0, 2e-3);
  }
}

// TV of a signal, without blur.
struct Denoising {
  explicit Denoising(const std::vector<double>& signal, bool upright)
      : y(upright ? Shape{1, 1, static_cast<Index>(signal.size()), 1}
                  : Shape{1, 1, 1, static_cast<Index>(signal.size())}) {
    std::copy(signal.begin(), signal.end(), y.data());
  }
  template <class T>
  Image<T> solve(double lambda, int iterations) const {
    const auto blur =
        psf_operator<T>(y.shape(), test::constant_image<double>({1, 1}, 1.0), kExtend);
    const Image<T> recorded = test::converted<T>(y);
    const FidelityTerm<T> fidelity(recorded, {});
    const PriorTerm<T> prior(y.shape(), prior_of(Prior::tv));
    Image<T> x(y.shape());
    primal_dual<T>(*blur, fidelity, prior, lambda, x, rounds<T>(iterations));
    return x;
  }
  Image<double> y;
};

// The ends of a step come nearer by lambda over their lengths.
TYPED_TEST(PrimalDual, SolvesTotalVariationOfAStep) {
  using T = TypeParam;
  std::vector<double> signal(30, 1.0);
  std::fill_n(signal.begin() + 10, 20, 4.0);
  for (bool upright : {true, false}) {
    const Image<T> x = Denoising(signal, upright).solve<T>(5.0, 2000);
    for (Index i = 0; i < 30; ++i) {
      EXPECT_NEAR(x.data()[i], i < 10 ? 1.5 : 3.75, sizeof(T) == 8 ? 1e-6 : 3e-3) << i;
    }
  }
}

// Against the dual problem, min |y - D^T q|^2 with |q| <= lambda, by projected gradients.
TYPED_TEST(PrimalDual, SolvesTotalVariationOfNoise) {
  using T = TypeParam;
  const std::size_t size = 40;
  const double lambda = 1.2;
  Random random(6);
  std::vector<double> signal(size);
  for (std::size_t i = 0; i < size; ++i) signal[i] = random.normal() + (i > 25 ? 2.0 : 0.0);
  std::vector<double> q(size - 1);
  std::vector<double> expected = signal;
  for (int k = 0; k < 50000; ++k) {
    for (std::size_t i = 0; i + 1 < size; ++i) {
      q[i] = std::clamp(q[i] + 0.25 * (expected[i + 1] - expected[i]), -lambda, lambda);
    }
    for (std::size_t i = 0; i < size; ++i) {
      expected[i] = signal[i] + (i + 1 < size ? q[i] : 0.0) - (i > 0 ? q[i - 1] : 0.0);
    }
  }
  const Image<T> x = Denoising(signal, false).solve<T>(lambda, 5000);
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_NEAR(x.data()[i], expected[i], sizeof(T) == 8 ? 1e-5 : 1e-4) << i;
  }
}

// Exact priors against smoothed ones of ever smaller scale, which lie above by little.
TEST(PrimalDualExact, IsTheLimitOfSmoothedPriors) {
  const auto blur = psf_operator<double>({1, 2, 18, 16}, gaussian_psf(0.8), kExtend);
  const Image<double> y = recorded(*blur, 0.02);
  const FidelityTerm<double> fidelity(y, fidelity_of(Fidelity::gaussian, 0.02));
  for (Prior kind : {Prior::tv, Prior::hessian}) {
    SCOPED_TRACE(prior_name(kind));
    const double lambda = 8.0;
    const double scale = 1e-4;
    const PriorTerm<double> prior(blur->scene(), prior_of(kind, scale));
    Image<double> x = grey_start(*blur);
    const double exact =
        primal_dual<double>(*blur, fidelity, prior, lambda, x, rounds<double>(4000)).value;
    const double smoothed = least(*blur, fidelity, prior, lambda);
    // What smoothing takes off each pixel's term: at most the scale, for each eigenvalue.
    const double most = lambda * scale * 2.0 * static_cast<double>(x.elements());
    EXPECT_GE(exact, smoothed);
    EXPECT_LE(exact, smoothed + most + 1e-3 * smoothed);
  }
}

TYPED_TEST(PrimalDual, KeepsSlopesUnderHessian) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 24, 20}, gaussian_psf(1.0), kExtend);
  Image<T> ramp(blur->scene());
  for (Index i = 0; i < ramp.elements(); ++i) {
    ramp.data()[i] = static_cast<T>(0.02 * static_cast<double>(i % ramp.shape()[3]) +
                                    0.01 * static_cast<double>(i / ramp.shape()[3]));
  }
  const Image<T> y = test::forward(*blur, ramp);
  const FidelityTerm<T> fidelity(y, fidelity_of(Fidelity::gaussian, 0.1));
  const PriorTerm<T> prior(blur->scene(), prior_of(Prior::hessian));
  Image<T> x(ramp.view());
  const auto result = primal_dual<T>(*blur, fidelity, prior, 3.0, x, rounds<T>(300));
  EXPECT_LE(result.value, sizeof(T) == 8 ? 1e-9 : 1e-2);
  EXPECT_LE(test::distance(x, ramp), sizeof(T) == 8 ? 1e-9 : 1e-4);
}

TYPED_TEST(PrimalDual, ComesNearIn200Iterations) {
  using T = TypeParam;
  for (const auto& [noise, lambda] : {std::pair{0.01, 30.0}, {0.03, 15.0}}) {
    const auto blur = psf_operator<T>({1, 1, 64, 64}, gaussian_psf(1.5), kExtend);
    const Image<T> y = recorded(*blur, noise);
    const FidelityTerm<T> fidelity(y, fidelity_of(Fidelity::gaussian, noise));
    const PriorTerm<T> prior(blur->scene(), prior_of(Prior::tv));
    Image<T> x = frame_start(*blur, y);
    const double near = primal_dual<T>(*blur, fidelity, prior, lambda, x, rounds<T>(200)).value;
    const double minimum = primal_dual<T>(*blur, fidelity, prior, lambda, x, rounds<T>(2000)).value;
    EXPECT_LE(near, 1.001 * minimum);
    EXPECT_GE(near, minimum);
  }
}

// Without prior, and with pixels left out: the fidelity goes to 0.
TYPED_TEST(PrimalDual, FitsWithoutAPrior) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 12, 13}, test::lopsided_psf(3, 3), kExtend);
  const Image<T> y = test::random_field<T>(blur->frame(), 0.4, 0.6, 3);
  Image<T> weight = test::constant_image<T>(blur->frame(), 1.0);
  weight.data()[30] = T{0};
  Image<T> hole(y.view());
  hole.data()[30] = static_cast<T>(NAN);
  const FidelityTerm<T> fidelity(hole, fidelity_of(Fidelity::gaussian, 0.1), weight);
  for (const auto& [kind, lambda] : {std::pair{Prior::none, 1.0}, {Prior::tv, 0.0}}) {
    const PriorTerm<T> prior(blur->scene(), prior_of(kind));
    Image<T> x = grey_start(*blur);
    const double before = fidelity.value(test::forward(*blur, x));
    const auto result = primal_dual<T>(*blur, fidelity, prior, lambda, x, rounds<T>(1000));
    EXPECT_LE(result.value, 1e-3 * before);
  }
}

}  // namespace
}  // namespace blurfield
