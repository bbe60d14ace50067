// SPDX-License-Identifier: BSD-3-Clause
// Photographs blurred and deblurred again.
#include "blurfield/deblur/deblur.h"

#include <gmock/gmock.h>

#include "blurfield/deblur/psf.h"
#include "tests/support/photographs.h"

namespace blurfield {
namespace {

using test::portrait;
using test::Recording;

constexpr DeblurMethod kMethods[]{DeblurMethod::automatic,   DeblurMethod::wiener,
                                  DeblurMethod::tikhonov,    DeblurMethod::richardson_lucy,
                                  DeblurMethod::primal_dual, DeblurMethod::fista,
                                  DeblurMethod::lbfgs,       DeblurMethod::newton_cg};

template <class T>
DeblurOptions<T> by(DeblurMethod method) {
  DeblurOptions<T> options;
  options.method = method;
  if (method == DeblurMethod::primal_dual) options.prior.kind = Prior::tv;
  return options;
}

template <class T>
class Deblur : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Deblur, Types);

TYPED_TEST(Deblur, ImprovesAPhotographByEveryMethod) {
  using T = TypeParam;
  const auto blur = psf_operator<T>({1, 1, 96, 90}, gaussian_psf(1.5));
  const Recording<T> photo = portrait<T>(*blur, 0.01);
  const double before = photo.psnr(photo.frame);
  for (DeblurMethod method : kMethods) {
    const auto found = deblur<T>(*blur, photo.frame, by<T>(method));
    SCOPED_TRACE(deblur_method_name(method));
    EXPECT_GE(photo.psnr(found.image), before + 1.0);
    EXPECT_NE(found.method, DeblurMethod::automatic);
    EXPECT_FALSE(found.why.empty());
  }
}

TEST(DeblurModels, AllAreUndone) {
  for (const auto& model : test::all_models<float>({1, 1, 40, 44}, {})) {
    if (model.name.starts_with("downsampled")) continue;
    SCOPED_TRACE(model.name);
    const Recording<float> photo = portrait<float>(*model.blur, 0.003);
    DeblurOptions<float> options;
    options.lambda = 4.0;
    const auto found = deblur<float>(*model.blur, photo.frame, options);
    EXPECT_GE(photo.psnr(found.image), photo.psnr(photo.frame) + 2.0);
  }
}

TEST(DeblurModels, LargePixelsAreSplit) {
  const auto blur = downsampled(psf_operator<float>({1, 1, 96, 92}, gaussian_psf(1.0)), 2);
  const Recording<float> photo = portrait<float>(*blur, 0.002);
  const auto found = deblur<float>(*blur, photo.frame);
  ASSERT_EQ(found.image.shape(), (Shape{1, 1, 96, 92}));
  Image<float> large(found.image.shape());
  for (Index y = 0; y < 96; ++y) {
    for (Index x = 0; x < 92; ++x) {
      large.view().at(0, 0, y, x) = photo.frame.view().at(0, 0, y / 2, x / 2);
    }
  }
  EXPECT_GE(photo.psnr(found.image), photo.psnr(large) + 2.0);
}

TEST(DeblurNoise, IsFoundInTheImage) {
  const auto blur = psf_operator<float>({1, 1, 128, 128}, gaussian_psf(1.5));
  for (double noise : {0.005, 0.01, 0.03}) {
    const Recording<float> photo = portrait<float>(*blur, noise);
    DeblurOptions<float> options;
    options.lambda = 4.0;
    options.max_iterations = 1;
    const auto found = deblur<float>(*blur, photo.frame, options);
    EXPECT_NEAR(found.noise, noise, 0.1 * noise);
    EXPECT_THAT(found.why[1], ::testing::StartsWith(message("noise 0.0")));
    options.least_noise = 0.1;
    EXPECT_EQ(deblur<float>(*blur, photo.frame, options).noise, 0.1);
    options.noise = 0.2;
    EXPECT_EQ(deblur<float>(*blur, photo.frame, options).noise, 0.2);
  }
}

TEST(DeblurLambda, IsNearTheBestByEveryRule) {
  const auto blur = psf_operator<float>({1, 1, 112, 112}, gaussian_psf(1.5));
  const Recording<float> photo = portrait<float>(*blur, 0.01);
  for (Prior prior : {Prior::tv2, Prior::gradient}) {
    DeblurOptions<float> options;
    options.prior.kind = prior;
    double best = 0.0;
    for (double root = 2.0; root < 30.0; root *= 1.7) {
      options.lambda = prior == Prior::gradient ? root * root : root / 1.7;
      best = std::max(best, photo.psnr(deblur<float>(*blur, photo.frame, options).image));
    }
    options.lambda.reset();
    for (LambdaRule rule :
         {LambdaRule::automatic, LambdaRule::discrepancy, LambdaRule::gcv, LambdaRule::sure}) {
      options.rule = rule;
      const auto found = deblur<float>(*blur, photo.frame, options);
      SCOPED_TRACE(message(prior_name(prior), ", ", lambda_rule_name(rule), ", ", found.lambda));
      EXPECT_GE(photo.psnr(found.image), best - 0.4);
      EXPECT_GT(found.freedom, 100.0);
      EXPECT_LT(found.freedom, 112.0 * 112.0);
      EXPECT_THAT(found.why.back(), ::testing::StartsWith("lambda "));
      // What the fit took is missing from the residual.
      EXPECT_NEAR(found.residual, std::sqrt(1 - found.freedom / (112.0 * 112.0)), 0.05);
    }
  }
}

TEST(DeblurBounds, AreKeptExactly) {
  const auto blur = psf_operator<float>({1, 1, 60, 66}, gaussian_psf(1.5));
  const Recording<float> photo = portrait<float>(*blur, 0.01);
  for (DeblurMethod method : {DeblurMethod::lbfgs, DeblurMethod::fista, DeblurMethod::primal_dual,
                              DeblurMethod::richardson_lucy}) {
    SCOPED_TRACE(deblur_method_name(method));
    const bool rl = method == DeblurMethod::richardson_lucy;
    auto options = by<float>(method);
    options.lower = rl ? 0.0 : 0.1;
    if (!rl) options.upper = 0.7;
    const auto found = deblur<float>(*blur, photo.frame, options);
    const auto [low, high] =
        std::minmax_element(found.image.data(), found.image.data() + found.image.elements());
    EXPECT_GE(*low, static_cast<float>(*options.lower));
    if (rl) continue;
    EXPECT_EQ(*low, 0.1f);  // they are felt
    EXPECT_EQ(*high, 0.7f);
  }
}

TEST(DeblurWeights, OfZeroHideAnything) {
  const auto blur = psf_operator<float>({1, 2, 40, 44}, gaussian_psf(1.2));
  const Recording<float> photo{
      *blur, test::photograph<float>("astronaut.png", blur->scene(), 20, 160), 0.01};
  auto weight = test::constant_image<float>({1, 2, 40, 44}, 1.0);
  Image<float> dirty(photo.frame.view());
  for (Index i = 7; i < dirty.elements(); i += 23) {
    weight.data()[i] = 0.0f;
    dirty.data()[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? -INFINITY : 1e30f;
  }
  for (DeblurMethod method : {DeblurMethod::lbfgs, DeblurMethod::fista, DeblurMethod::newton_cg,
                              DeblurMethod::primal_dual, DeblurMethod::richardson_lucy}) {
    const auto options = by<float>(method);
    const auto clean = deblur<float>(*blur, photo.frame, options, weight);
    const auto found = deblur<float>(*blur, dirty, options, weight);
    EXPECT_TRUE(test::same_bits(found.image, clean.image)) << deblur_method_name(method);
    EXPECT_EQ(found.noise, clean.noise);
    EXPECT_EQ(found.lambda, clean.lambda);
    EXPECT_GE(photo.psnr(found.image), photo.psnr(photo.frame)) << deblur_method_name(method);
  }
}

TEST(DeblurWeights, SaveWhatSaturatedStarsWouldSpoil) {
  const auto blur = psf_operator<float>({1, 1, 80, 80}, gaussian_psf(1.5));
  auto sky = test::photograph<float>("hubble_deep_field.jpg", blur->scene(), 30, 30);
  for (Index i = 211; i < sky.elements(); i += 997) sky.data()[i] = 40.0f;
  Recording<float> photo{*blur, std::move(sky), 0.01};
  auto weight = test::constant_image<float>(blur->frame(), 1.0);
  for (Index i = 0; i < weight.elements(); ++i) {
    if (photo.frame.data()[i] < 1.0f) continue;
    photo.frame.data()[i] = 1.0f;
    weight.data()[i] = 0.0f;
  }
  const auto masked = deblur<float>(*blur, photo.frame, {}, weight);
  const auto naive = deblur<float>(*blur, photo.frame);
  EXPECT_GE(photo.psnr(masked.image), photo.psnr(naive.image) + 0.5);
}

TEST(DeblurWeights, AreInverseVariances) {
  const auto blur = psf_operator<float>({1, 1, 90, 92}, gaussian_psf(1.5));
  Recording<float> photo = portrait<float>(*blur, 0.0);
  Random random(3);
  Image<float> weight(blur->frame());
  for (Index i = 0; i < weight.elements(); ++i) {
    const double deviation = i % 92 < 46 ? 0.004 : 0.08;
    photo.frame.data()[i] += static_cast<float>(deviation * random.normal());
    weight.data()[i] = static_cast<float>(1 / (deviation * deviation));
  }
  DeblurOptions<float> options;
  options.noise = std::sqrt((0.004 * 0.004 + 0.08 * 0.08) / 2);
  const auto alike = deblur<float>(*blur, photo.frame, options);
  options.noise = 1.0;
  const auto weighted = deblur<float>(*blur, photo.frame, options, weight);
  EXPECT_GE(photo.psnr(weighted.image), photo.psnr(alike.image) + 1.0);
  EXPECT_NEAR(weighted.residual, 1.0, 0.1);
}

TEST(DeblurFidelity, PoissonFindsItsGain) {
  constexpr double kGain = 0.002;
  const auto blur = psf_operator<float>({1, 1, 100, 96}, gaussian_psf(1.5));
  Recording<float> photo = portrait<float>(*blur, 0.0);
  Random random(3);
  double mean = 0.0;
  for (Index i = 0; i < photo.frame.elements(); ++i) {
    const auto u = static_cast<double>(photo.frame.data()[i]);
    mean += u / static_cast<double>(photo.frame.elements());
    photo.frame.data()[i] += static_cast<float>(std::sqrt(kGain * u) * random.normal());
  }
  DeblurOptions<float> options;
  options.fidelity.kind = Fidelity::poisson;
  options.fidelity.gain = 0;
  for (DeblurMethod method :
       {DeblurMethod::lbfgs, DeblurMethod::newton_cg, DeblurMethod::primal_dual}) {
    options.method = method;
    options.prior.kind = method == DeblurMethod::primal_dual ? Prior::tv : Prior::tv2;
    const auto found = deblur<float>(*blur, photo.frame, options);
    EXPECT_GE(photo.psnr(found.image), photo.psnr(photo.frame) + 1.0);
    EXPECT_NEAR(found.residual, 1.0, 0.15);
    if (method != DeblurMethod::newton_cg) {
      EXPECT_GE(*std::min_element(found.image.data(), found.image.data() + found.image.elements()),
                0.0f);
    }
    EXPECT_NEAR(found.noise * found.noise / mean, kGain, 0.3 * kGain);
    EXPECT_THAT(found.why, ::testing::Contains(::testing::StartsWith("gain 0.00")));
  }
}

TEST(DeblurFidelity, HuberIgnoresOutliers) {
  const auto blur = psf_operator<float>({1, 1, 80, 84}, gaussian_psf(1.2));
  Recording<float> photo = portrait<float>(*blur, 0.01);
  for (Index i = 5; i < photo.frame.elements(); i += 37) {  // salt and pepper
    photo.frame.data()[i] = static_cast<float>(i % 2);
  }
  for (DeblurMethod method :
       {DeblurMethod::lbfgs, DeblurMethod::fista, DeblurMethod::primal_dual}) {
    auto options = by<float>(method);
    options.noise = 0.01;
    options.lambda = 4.0;
    const auto gaussian = deblur<float>(*blur, photo.frame, options);
    options.fidelity.kind = Fidelity::huber;
    const auto huber = deblur<float>(*blur, photo.frame, options);
    EXPECT_GE(photo.psnr(huber.image), photo.psnr(gaussian.image) + 5.0)
        << deblur_method_name(method);
  }
}

TEST(DeblurColour, IsBetterTakenJointly) {
  const auto blur = psf_operator<float>({1, 3, 64, 60}, gaussian_psf(1.5));
  const Recording<float> photo{
      *blur, test::photograph<float>("astronaut.png", blur->scene(), 20, 160), 0.02};
  DeblurOptions<float> options;
  options.prior.kind = Prior::huber_tv;
  const auto joint = deblur<float>(*blur, photo.frame, options);
  options.prior.joint = false;
  const auto each = deblur<float>(*blur, photo.frame, options);
  EXPECT_GE(photo.psnr(joint.image), photo.psnr(each.image) + 0.2);
}

// A part of a batch or of its channels.
template <class T>
Image<T> part_of(const Image<T>& image, const Shape& shape, Index at) {
  return Image<T>(View<const T>(image.data() + at * shape.elements(), shape));
}

TEST(DeblurBatch, IsItsImages) {
  const Shape one{1, 1, 28, 31};
  for (const Shape& shape : {Shape{2, 1, 28, 31}, Shape{1, 2, 28, 31}}) {
    const auto whole = psf_operator<double>(shape, gaussian_psf(1.5));
    const auto single = psf_operator<double>(one, gaussian_psf(1.5));
    const Recording<double> photo{
        *whole, test::photograph<double>("astronaut.png", whole->scene(), 20, 160), 0.01};
    for (DeblurMethod method : kMethods) {
      if (method == DeblurMethod::wiener) continue;  // measures the power of all
      SCOPED_TRACE(message(deblur_method_name(method), ", ", shape.text()));
      const bool rl = method == DeblurMethod::richardson_lucy;
      auto options = by<double>(method);
      if (method != DeblurMethod::primal_dual) options.prior.kind = Prior::gradient;
      options.prior.joint = false;
      options.noise = 0.01;
      options.lambda = rl ? 0.0 : method == DeblurMethod::primal_dual ? 4.0 : 100.0;
      options.tolerance = 1e-10;
      options.max_iterations = rl ? 20 : 300;
      options.accelerate = false;
      const auto together = deblur<double>(*whole, photo.frame, options);
      for (Index i : {0, 1}) {
        const auto alone = deblur<double>(*single, part_of(photo.frame, one, i), options);
        EXPECT_LE(test::distance(part_of(together.image, one, i), alone.image), 2e-3);
      }
    }
  }
}

TEST(DeblurFrame, MayBeStrided) {
  const Shape shape{1, 2, 24, 25};
  const auto blur = psf_operator<float>(shape, gaussian_psf(1.2));
  // Channels side by side, as files have them.
  const std::array<Index, kMaxRank> strides{1200, 1, 50, 2};
  const auto y = test::random_field<float>({1, 24, 25, 2}, 0.0, 1.0, 1);
  const auto weight = test::random_field<float>({1, 24, 25, 2}, 0.5, 1.0, 2);
  const View<const float> strided_y(y.data(), shape, strides);
  const View<const float> strided_weight(weight.data(), shape, strides);
  const Image<float> packed_y(strided_y);
  const Image<float> packed_weight(strided_weight);
  for (DeblurMethod method : kMethods) {
    SCOPED_TRACE(deblur_method_name(method));
    auto options = by<float>(method);
    options.max_iterations = 3;
    const auto packed = deblur<float>(*blur, packed_y, options);
    EXPECT_TRUE(test::same_bits(deblur<float>(*blur, strided_y, options).image, packed.image));
    if (method == DeblurMethod::wiener || method == DeblurMethod::tikhonov) continue;
    EXPECT_TRUE(test::same_bits(deblur<float>(*blur, strided_y, options, strided_weight).image,
                                deblur<float>(*blur, packed_y, options, packed_weight).image));
  }
}

// The offset and the background are no part of the scene.
TEST(DeblurFrame, MayHaveAnOffset) {
  const auto blur = psf_operator<float>({1, 1, 60, 62}, gaussian_psf(1.2));
  Recording<float> photo = portrait<float>(*blur, 0.01);
  const double before = photo.psnr(photo.frame);
  for (Index i = 0; i < photo.frame.elements(); ++i) photo.frame.data()[i] += 5.0f + 2.0f;
  for (DeblurMethod method :
       {DeblurMethod::richardson_lucy, DeblurMethod::lbfgs, DeblurMethod::primal_dual}) {
    SCOPED_TRACE(deblur_method_name(method));
    auto options = by<float>(method);
    options.fidelity = {.kind = Fidelity::poisson, .gain = 0, .offset = 5, .background = 2};
    options.lower = 0.0;
    const auto found = deblur<float>(*blur, photo.frame, options);
    EXPECT_GE(photo.psnr(found.image), before + 0.5);
    EXPECT_NEAR(found.residual, std::sqrt(1 - found.freedom / (60.0 * 62.0)), 0.1);
  }
}

TEST(DeblurBorder, ExtendsBetterThanItMirrors) {
  const auto truth = psf_operator<float>({1, 1, 80, 84}, disk_psf(4.0));
  const auto mirror = psf_operator<float>({1, 1, 80, 84}, disk_psf(4.0), {false, Mode::reflect});
  const Recording<float> photo = portrait<float>(*truth, 0.003);
  const auto extended = deblur<float>(*truth, photo.frame);
  const auto mirrored = deblur<float>(*mirror, photo.frame);
  EXPECT_GE(photo.psnr(extended.image), photo.psnr(mirrored.image) + 1.0);
}

TEST(DeblurWarnings, TellOfAnotherBlur) {
  const auto blur = psf_operator<float>({1, 1, 80, 84}, gaussian_psf(1.2));
  const auto wider = psf_operator<float>({1, 1, 80, 84}, gaussian_psf(3.0));
  const Recording<float> photo = portrait<float>(*blur, 0.003);
  EXPECT_TRUE(deblur<float>(*blur, photo.frame).warnings.empty());
  EXPECT_THAT(deblur<float>(*wider, photo.frame).warnings,
              ::testing::Contains(::testing::StartsWith("the residual is ")));
}

TEST(DeblurWarnings, TellOfNoiseBelowRounding) {
  const auto blur = psf_operator<float>({1, 1, 30, 34}, gaussian_psf(1.2));
  const Recording<float> photo = portrait<float>(*blur, 0.0);
  DeblurOptions<float> options;
  options.noise = 1e-12;
  options.lambda = 4.0;
  const auto found = deblur<float>(*blur, photo.frame, options);
  EXPECT_GT(found.noise, 1e-8);
  EXPECT_THAT(found.warnings, ::testing::Contains(::testing::StartsWith("noise raised to ")));
}

TEST(DeblurNames, GoBothWays) {
  for (DeblurMethod method : kMethods) {
    EXPECT_EQ(parse_deblur_method(deblur_method_name(method)), method);
  }
  for (LambdaRule rule :
       {LambdaRule::automatic, LambdaRule::discrepancy, LambdaRule::gcv, LambdaRule::sure}) {
    EXPECT_EQ(parse_lambda_rule(lambda_rule_name(rule)), rule);
  }
  EXPECT_EQ(deblur_method_name(DeblurMethod::richardson_lucy), "rl");
  EXPECT_FALSE(parse_deblur_method("admm"));
  EXPECT_FALSE(parse_lambda_rule("lcurve"));
}

}  // namespace
}  // namespace blurfield
