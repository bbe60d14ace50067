// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/estimate.h"

#include <gtest/gtest.h>

#include <atomic>

#include "blurfield/ops/uniform_blur.h"
#include "tests/support/recovery.h"

namespace blurfield::test {
namespace {

TEST(Estimate, SigmaRampOfANoisyPhotograph) {
  const Image<float> x = photograph<float>("ascent.png");
  const Image<float> truth = ramp<float>(512, 512, 0.5, 4.0);
  const Image<float> y = noisy_blur(x, truth, 0.01);
  const auto found = estimate<float>(x, y);
  EXPECT_NEAR(found.noise, 0.01, 0.0005);
  EXPECT_GT(found.known, 0.5);
  EXPECT_LT(median_error_where_known(found, truth), 0.02);
  EXPECT_NEAR(found.loss, 1e-4, 3e-6);
  EXPECT_EQ(found.trace.back().iteration, found.result.iterations);
}

TEST(Estimate, CovarianceFieldOfANoisyPhotograph) {
  const Image<float> x = photograph<float>("ascent.png");
  const Image<float> truth = turning_ramp<float>(512, 512, 0.5, 4.0, 1.8);
  const Image<float> y = noisy_blur(x, truth, 0.01);
  EstimateOptions options;
  options.model = BlurModel::logchol;
  const auto found = estimate<float>(x, y, options);
  EXPECT_GT(found.known, 0.5);
  EXPECT_LT(median_error_where_known(found, truth), 0.1);
}

TEST(Estimate, OtherModelsOnAPartOfIt) {
  const Image<double> x = photograph<double>("ascent.png", 150, 150, 160, 200);
  EstimateOptions options;
  options.model = BlurModel::sigma_yx;
  Image<double> truth({1, 2, 160, 200});
  for (Index i = 0; i < truth.elements(); ++i) {
    truth.data()[i] = i < truth.elements() / 2 ? 1.2 : 2.5;
  }
  const auto both = estimate<double>(x, noisy_blur(x, truth, 0.01), options);
  EXPECT_LT(median_error_where_known(both, truth), 0.1);

  options.model = BlurModel::uniform;
  const std::vector<double> sigma{2.2};
  const auto one = estimate<double>(x, uniform_blur<double>(x, sigma), options);
  EXPECT_NEAR(one.field.data()[0], 2.2, 1e-4);
  EXPECT_GT(one.known, 0.99);
}

TEST(Estimate, EveryMethodAndPriorFindsASmoothField) {
  const Image<double> x = photograph<double>("ascent.png", 150, 150, 96, 96);
  const Image<double> truth = ramp<double>(96, 96, 0.8, 2.4);
  const Image<double> y = noisy_blur(x, truth, 0.005);
  for (EstimateMethod method :
       {EstimateMethod::gauss_newton, EstimateMethod::lbfgs, EstimateMethod::adamax}) {
    for (FieldPrior prior : {FieldPrior::smooth, FieldPrior::tv}) {
      EstimateOptions options;
      options.method = method;
      options.prior = prior;
      options.rate = 0.02;
      const auto found = estimate<double>(x, y, options);
      // The others stop further from the minimum.
      const double allowed = method == EstimateMethod::gauss_newton ? 0.07 : 0.12;
      EXPECT_LT(median_error_where_known(found, truth), allowed)
          << estimate_method_name(method) << " " << prior_name(prior);
    }
  }
}

TEST(Estimate, ScatterByTheSameCall) {
  const Image<double> x = photograph<double>("ascent.png", 150, 150, 96, 96);
  const Image<double> truth = ramp<double>(96, 96, 0.8, 2.4);
  EstimateOptions options;
  options.blur.scatter = true;
  const Image<double> y = noisy_blur(x, truth, 0.005, options.blur);
  const auto found = estimate<double>(x, y, options);
  EXPECT_LT(median_error_where_known(found, truth), 0.05);
}

TEST(Estimate, StepsAreKeptByTotalVariation) {
  const Image<double> x = photograph<double>("ascent.png", 150, 150, 128, 128);
  Image<double> truth({1, 1, 128, 128});
  for (Index i = 0; i < truth.elements(); ++i) truth.data()[i] = i % 128 < 64 ? 1.0 : 3.0;
  const Image<double> y = noisy_blur(x, truth, 0.01);
  EstimateOptions options;
  const double smooth = median_error_where_known(estimate<double>(x, y, options), truth);
  options.prior = FieldPrior::tv;
  const double tv = median_error_where_known(estimate<double>(x, y, options), truth);
  EXPECT_LT(tv, smooth);
  EXPECT_LT(tv, 0.04);
}

TEST(Estimate, FlatPartsAreNotKnown) {
  Image<float> x = photograph<float>("ascent.png", 150, 150, 128, 128);
  for (Index y = 0; y < 128; ++y) std::fill_n(x.view().row(0, 0, y) + 64, 64, 0.5F);
  const Image<float> truth = ramp<float>(128, 128, 1.0, 2.0);
  const auto found = estimate<float>(x, noisy_blur(x, truth, 0.01));
  const View<const float> confidence = found.confidence.view();
  for (Index y = 0; y < 128; ++y) {
    for (Index column = 96; column < 128; ++column) {
      ASSERT_LT(confidence.at(0, 0, y, column), 0.01F) << y << " " << column;
    }
  }
  EXPECT_GT(found.known, 0.3);
}

TEST(Estimate, WhatABlurDoesNotExplainIsNotKnown) {
  const Image<float> x = photograph<float>("ascent.png");
  Image<float> y = noisy_blur(x, ramp<float>(512, 512, 0.5, 4.0), 0.01);
  for (Index i = 0; i < y.elements(); ++i) y.data()[i] *= 1.1F;
  EstimateOptions options;
  options.max_iterations = 20;
  EXPECT_LT(estimate<float>(x, y, options).known, 0.35);
}

TEST(Estimate, NoiseMayVaryWithBrightness) {
  const Image<float> x = photograph<float>("ascent.png");
  const Image<float> truth = ramp<float>(512, 512, 0.5, 4.0);
  Image<float> y = noisy_blur(x, truth, 0.0);
  Random random(5);
  for (Index i = 0; i < y.elements(); ++i) {
    y.data()[i] += 0.02F * std::sqrt(y.data()[i]) * static_cast<float>(random.normal());
  }
  const auto found = estimate<float>(x, y);
  EXPECT_LT(median_error_where_known(found, truth), 0.02);
  EXPECT_GT(found.known, 0.5);
}

TEST(Estimate, DoesNotDependOnTheUnitOfThePixels) {
  const Image<float> x = photograph<float>("ascent.png", 150, 150, 96, 96);
  const Image<float> y = noisy_blur(x, ramp<float>(96, 96, 0.8, 2.4), 0.01);
  const auto one = estimate<float>(x, y);
  for (int exponent : {-70, 100}) {
    const auto scaled = [&](const Image<float>& image) {
      Image<float> result(image.shape());
      for (Index i = 0; i < image.elements(); ++i) {
        result.data()[i] = std::ldexp(image.data()[i], exponent);
      }
      return result;
    };
    const auto other = estimate<float>(scaled(x), scaled(y));
    EXPECT_LT(median(field_errors(other.field, one.field)), 0.01) << exponent;
    EXPECT_NEAR(std::ldexp(other.noise, -exponent), one.noise, 0.01 * one.noise);
  }
}

TEST(Estimate, ADegenerateMixIsNotKnown) {
  const Image<double> x = random_image<double>({1, 1, 64, 64}, 4);
  EstimateOptions options;
  options.model = BlurModel::mix;
  options.scalar_weight = true;
  options.learn_sigmas = true;
  options.sigmas = {1.5, 2.5};
  const auto found =
      estimate<double>(x, noisy_blur(x, constant_image<double>(x.shape(), 2.0), 0.01), options);
  EXPECT_LT(found.known, 0.5);
  EXPECT_LE(found.sigmas[0], found.sigmas[1]);
}

TEST(Estimate, SeveralSignalsShareAField) {
  const Image<double> x = random_image<double>({4, 1, 24, 24}, 1);
  const Image<double> truth = ramp<double>(24, 24, 0.7, 1.6);
  AdaptiveBlurOptions blur;
  const Image<double> y = noisy_blur(x, truth, 0.02, blur);
  EstimateOptions options;
  options.prior = FieldPrior::none;
  const auto four = estimate<double>(x, y, options);
  EXPECT_EQ(four.field.shape(), (Shape{1, 1, 24, 24}));
  const View<const double> first_x(x.data(), {1, 1, 24, 24});
  const View<const double> first_y(y.data(), {1, 1, 24, 24});
  const auto one = estimate<double>(first_x, first_y, options);
  EXPECT_LT(2 * median(field_errors(four.field, truth)), median(field_errors(one.field, truth)));

  options.shared = false;
  const auto own = estimate<double>(x, y, options);
  EXPECT_EQ(own.field.shape(), (Shape{4, 1, 24, 24}));
  EXPECT_EQ(own.confidence.shape(), (Shape{4, 1, 24, 24}));
}

TEST(Estimate, SignalsToo) {
  const Image<double> x = random_image<double>({1, 1, 300}, 1);
  Image<double> truth({1, 1, 300});
  for (Index i = 0; i < 300; ++i) truth.data()[i] = 1.0 + static_cast<double>(i) / 150;
  const auto found = estimate<double>(x, noisy_blur(x, truth, 0.005));
  EXPECT_LT(median(field_errors(found.field, truth)), 0.05);
  EstimateOptions options;
  options.model = BlurModel::uniform;
  const std::vector<double> sigma{3.0};
  const auto one = estimate<double>(x, uniform_blur<double>(x, sigma), options);
  EXPECT_NEAR(one.field.data()[0], 3.0, 1e-5);
}

TEST(Estimate, MixingWeightsAndTheirSigmas) {
  const Image<double> x = random_image<double>({2, 3, 32, 32}, 4);
  EstimateOptions options;
  options.model = BlurModel::mix;
  options.sigmas = {1.0, 3.0};
  options.prior = FieldPrior::none;
  options.max_iterations = 60;
  options.tolerance = 1e-10;
  const Image<double> weight = random_field<double>({1, 1, 32, 32}, 0.1, 0.9, 8);
  Image<double> y(x.shape());
  mix<double>(x, options.sigmas, weight, y);
  const auto field = estimate<double>(x, y, options);
  EXPECT_LT(distance(field.field, weight), 1e-4);

  options.scalar_weight = true;
  const Image<double> third = constant_image<double>({1, 1, 1, 1}, 0.3);
  mix<double>(x, options.sigmas, third, y);
  const auto scalar = estimate<double>(x, y, options);
  EXPECT_NEAR(scalar.field.data()[0], 0.3, 1e-6);

  options.learn_sigmas = true;
  options.sigmas = {1.3, 2.4};
  const auto learned = estimate<double>(x, y, options);
  EXPECT_NEAR(learned.sigmas[0], 1.0, 0.02);
  EXPECT_NEAR(learned.sigmas[1], 3.0, 0.05);
}

TEST(Estimate, SoftMaximumStaysAboveItsMinimum) {
  const Image<double> x = random_image<double>({1, 1, 40, 40}, 4);
  EstimateOptions options;
  options.parameter = SigmaParameter::soft_maximum;
  const auto same = estimate<double>(x, x, options);
  for (Index i = 0; i < 1600; ++i) ASSERT_GT(same.field.data()[i], 0.3);
  const auto found =
      estimate<double>(x, noisy_blur(x, ramp<double>(40, 40, 0.8, 1.6), 0.01), options);
  EXPECT_LT(median(field_errors(found.field, ramp<double>(40, 40, 0.8, 1.6))), 0.1);
}

TEST(Estimate, MaskedPixelsDoNoHarm) {
  const Image<double> x = photograph<double>("ascent.png", 150, 150, 96, 96);
  const Image<double> truth = ramp<double>(96, 96, 0.8, 2.4);
  Image<double> y = noisy_blur(x, truth, 0.005);
  Image<double> mask = constant_image<double>({1, 1, 96, 96}, 1.0);
  for (Index i = 40; i < 50; ++i) {
    for (Index j = 30; j < 60; ++j) {
      y.view().at(0, 0, i, j) = 9.0;
      mask.view().at(0, 0, i, j) = 0.0;
    }
  }
  const auto found = estimate<double>(x, y, {}, mask);
  EXPECT_LT(median_error_where_known(found, truth), 0.05);
  EXPECT_NEAR(found.noise, 0.005, 0.001);
  const auto nothing = estimate<double>(x, y, {}, Image<double>({1, 1, 96, 96}));
  EXPECT_EQ(nothing.known, 0.0);
}

TEST(Estimate, DoesNotDependOnTheNumberOfThreads) {
  const Image<float> x = photograph<float>("ascent.png", 150, 150, 200, 240);
  const Image<float> y = noisy_blur(x, ramp<float>(200, 240, 0.8, 2.4), 0.01);
  EstimateOptions options;
  options.max_iterations = 8;
  options.blur.execution.threads = 1;
  const auto one = estimate<float>(x, y, options);
  for (int threads : {2, 5}) {
    options.blur.execution.threads = threads;
    const auto more = estimate<float>(x, y, options);
    EXPECT_TRUE(same_bits(one.field, more.field)) << threads;
    EXPECT_TRUE(same_bits(one.confidence, more.confidence)) << threads;
  }
}

TEST(Estimate, StopsWhenAskedAndKeepsTheField) {
  const Image<double> x = photograph<double>("ascent.png", 150, 150, 96, 96);
  const Image<double> y = noisy_blur(x, ramp<double>(96, 96, 0.8, 2.4), 0.01);
  EstimateOptions options;
  options.callback = [](const EstimateStep& step) { return step.iteration < 2; };
  const auto called = estimate<double>(x, y, options);
  EXPECT_EQ(called.result.stop, Stop::cancelled);
  EXPECT_EQ(called.trace.back().iteration, 2);
  EXPECT_EQ(called.field.shape(), (Shape{1, 1, 96, 96}));

  // In the middle of a blur.
  options.callback = nullptr;
  std::atomic<int> asked{0};
  options.blur.execution.progress = [&](double) { return ++asked < 2000; };
  const auto blurring = estimate<double>(x, y, options);
  EXPECT_EQ(blurring.result.stop, Stop::cancelled);
  EXPECT_GT(blurring.confidence.data()[96 * 48 + 48], 0.0);

  options.blur.execution.progress = nullptr;
  options.max_seconds = 1e-9;
  EXPECT_EQ(estimate<double>(x, y, options).result.stop, Stop::time);
}

TEST(Estimate, IdenticalImagesHaveTheLeastSigma) {
  const Image<double> x = photograph<double>("ascent.png", 150, 150, 64, 64);
  const auto found = estimate<double>(x, x);
  EXPECT_LT(median(std::vector<double>(found.field.data(), found.field.data() + 4096)), 0.3);
}

TEST(Estimate, TinyAndConstantImages) {
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{1, 1, 1, 7}, Shape{1, 1, 7, 1},
                             Shape{1, 2, 3, 3}, Shape{1, 1, 2}}) {
    const Image<double> x = constant_image<double>(shape, 0.5);
    const auto found = estimate<double>(x, x);
    EXPECT_EQ(found.known, 0.0) << shape.text();
    for (Index i = 0; i < found.field.elements(); ++i) {
      ASSERT_TRUE(std::isfinite(found.field.data()[i])) << shape.text();
    }
  }
}

}  // namespace
}  // namespace blurfield::test
