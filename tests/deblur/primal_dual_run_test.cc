// SPDX-License-Identifier: BSD-3-Clause
// How runs of the primal-dual method begin, go on and end.
#include <gmock/gmock.h>

#include "blurfield/deblur/primal_dual.h"
#include "blurfield/deblur/psf.h"
#include "tests/support/deblurring.h"

namespace blurfield {
namespace {

using test::fidelity_of;
using test::frame_start;
using test::grey_start;
using test::kExtend;
using test::prior_of;
using test::recorded;
using test::rounds;
using ::testing::HasSubstr;

template <class T>
class PrimalDualRun : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PrimalDualRun, Types);

// The same problem in other units has the same solution.
TYPED_TEST(PrimalDualRun, KnowsNoUnits) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 14, 15}, gaussian_psf(1.0), kExtend);
  const Image<T> y = recorded(*blur, 0.02);
  for (Prior kind : {Prior::tv, Prior::hessian}) {
    Image<double> alone;
    for (double unit : {1.0, 1e-15, 1e15}) {
      const auto scaled = [&](const Image<T>& image, double by) {
        Image<double> result = test::converted<double>(image);
        for (Index i = 0; i < result.elements(); ++i) result.data()[i] *= by;
        return result;
      };
      const Image<T> frame = test::converted<T>(scaled(y, unit));
      const FidelityTerm<T> fidelity(frame, fidelity_of(Fidelity::gaussian, 0.02 * unit));
      const PriorTerm<T> prior(blur->scene(), prior_of(kind));
      Image<T> x = frame_start(*blur, frame);
      primal_dual<T>(*blur, fidelity, prior, 10.0 / unit, x, rounds<T>(60));
      Image<double> now = scaled(x, 1 / unit);
      if (unit == 1.0)
        alone = std::move(now);
      else
        EXPECT_LE(test::distance(now, alone), sizeof(T) == 8 ? 1e-9 : 1e-3) << unit;
    }
  }
}

TYPED_TEST(PrimalDualRun, StopsByEachRule) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 30, 31}, gaussian_psf(1.0), kExtend);
  const Image<T> y = recorded(*blur, 0.02);
  const FidelityTerm<T> fidelity(y, fidelity_of(Fidelity::gaussian, 0.02));
  const PriorTerm<T> prior(blur->scene(), prior_of(Prior::tv));
  const auto run = [&](const PrimalDualOptions<T>& options, Image<T>& x) {
    return primal_dual<T>(*blur, fidelity, prior, 10.0, x, options);
  };
  Image<T> x = grey_start(*blur);
  auto options = rounds<T>(5000);
  options.change_tolerance = 1e-3;
  MinimiseResult result = run(options, x);
  EXPECT_EQ(result.stop, Stop::change);
  EXPECT_GT(result.iterations, 10);
  EXPECT_LT(result.iterations, 500);
  options.change_tolerance = 0.0;
  options.max_seconds = 0.05;
  options.max_iterations = 1 << 30;
  x = grey_start(*blur);
  result = run(options, x);
  EXPECT_EQ(result.stop, Stop::time);
  EXPECT_GE(result.seconds, 0.05);
  options = rounds<T>(9);
  Image<T> last;
  int told = 0;
  options.callback = [&](const Iterate<T>& now) {
    EXPECT_EQ(now.iteration, told++);
    Image<T> at(View<const T>(now.x.data(), blur->scene()));
    if (now.iteration > 0) {
      double square = 0.0;
      for (Index i = 0; i < at.elements(); ++i) {
        const double d = static_cast<double>(at.data()[i]) - static_cast<double>(last.data()[i]);
        square += d * d;
      }
      EXPECT_NEAR(now.step, std::sqrt(square), 1e-6);
    }
    last = std::move(at);
    return now.iteration < 5;
  };
  x = grey_start(*blur);
  result = run(options, x);
  EXPECT_EQ(result.stop, Stop::cancelled);
  EXPECT_EQ(result.iterations, 5);
  EXPECT_TRUE(test::same_bits(x, last));
  x = grey_start(*blur);
  result = run(rounds<T>(9), x);
  EXPECT_EQ(result.stop, Stop::iterations);
  EXPECT_EQ(result.iterations, 9);
}

TYPED_TEST(PrimalDualRun, GivesTheSameForAnyNumberOfThreads) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 3, 120, 130}, test::lopsided_psf(5, 5), kExtend);
  const Image<T> y = recorded(*blur, 0.02);
  for (Prior kind : {Prior::tv, Prior::hessian}) {
    Image<T> alone;
    for (int threads : {1, 2, 5}) {
      const FidelityTerm<T> fidelity(y, fidelity_of(Fidelity::gaussian, 0.02), {}, threads);
      const PriorTerm<T> prior(blur->scene(), prior_of(kind), threads);
      Image<T> x = grey_start(*blur);
      auto options = rounds<T>(12);
      options.threads = threads;
      primal_dual<T>(*blur, fidelity, prior, 10.0, x, options);
      if (threads == 1) alone = Image<T>(x.view());
      EXPECT_TRUE(test::same_bits(x, alone)) << threads;
    }
  }
}

TYPED_TEST(PrimalDualRun, RefusesBadInput) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 9, 8}, gaussian_psf(0.5), kExtend);
  const Image<T> y = test::constant_image<T>(blur->frame(), 0.5);
  const auto error = [&](Fidelity fidelity_kind, Prior prior_kind, double lambda,
                         const PrimalDualOptions<T>& options, const Shape& scene) {
    const FidelityTerm<T> fidelity(y, fidelity_of(fidelity_kind, 1.0));
    const PriorTerm<T> prior(blur->scene(), prior_of(prior_kind));
    Image<T> x = test::constant_image<T>(scene, 1.0);
    return test::error_of([&] { primal_dual<T>(*blur, fidelity, prior, lambda, x, options); });
  };
  const Shape& scene = blur->scene();
  EXPECT_EQ(error(Fidelity::gaussian, Prior::tv, 1.0, rounds<T>(2), scene), "");
  EXPECT_THAT(error(Fidelity::norm, Prior::tv, 1.0, rounds<T>(2), scene),
              HasSubstr("primal_dual: expected gaussian, huber or poisson fidelity, got norm"));
  EXPECT_THAT(error(Fidelity::gaussian, Prior::tikhonov, 1.0, rounds<T>(2), scene),
              HasSubstr("expected the prior none, tv, huber-tv or hessian, got tikhonov"));
  EXPECT_THAT(error(Fidelity::gaussian, Prior::tv, -1.0, rounds<T>(2), scene),
              HasSubstr("lambda >= 0, got -1"));
  EXPECT_THAT(error(Fidelity::gaussian, Prior::tv, 1.0, rounds<T>(-2), scene),
              HasSubstr("max_iterations >= 0, got -2"));
  EXPECT_THAT(error(Fidelity::gaussian, Prior::tv, 1.0, rounds<T>(2), {1, 1, 9, 8}),
              HasSubstr("scene"));
  auto crossed = rounds<T>(2);
  crossed.lower = 1.0;
  crossed.upper = 0.0;
  EXPECT_THAT(error(Fidelity::gaussian, Prior::tv, 1.0, crossed, scene),
              HasSubstr("lower <= upper, got 1 and 0"));
}

}  // namespace
}  // namespace blurfield
