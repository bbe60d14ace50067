// SPDX-License-Identifier: BSD-3-Clause
// How a deblurring is started, watched and stopped.
#include <gmock/gmock.h>

#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/psf.h"
#include "tests/support/photographs.h"

namespace blurfield {
namespace {

using test::portrait;
using test::Recording;

constexpr DeblurMethod kIterative[]{DeblurMethod::richardson_lucy, DeblurMethod::primal_dual,
                                    DeblurMethod::fista, DeblurMethod::lbfgs,
                                    DeblurMethod::newton_cg};

DeblurOptions<float> by(DeblurMethod method) {
  DeblurOptions<float> options;
  options.method = method;
  if (method == DeblurMethod::primal_dual) options.prior.kind = Prior::tv;
  return options;
}

TEST(DeblurTrace, TellsEachIteration) {
  const auto blur = psf_operator<float>({1, 1, 50, 55}, gaussian_psf(1.5));
  const Recording<float> photo = portrait<float>(*blur, 0.01);
  for (DeblurMethod method : kIterative) {
    for (bool given : {true, false}) {
      SCOPED_TRACE(message(deblur_method_name(method), given ? ", lambda given" : ""));
      auto options = by(method);
      if (given) options.lambda = method == DeblurMethod::richardson_lucy ? 0.0 : 4.0;
      std::size_t calls = 0;
      Image<float> last;
      options.callback = [&](const DeblurStep<float>& step) {
        EXPECT_EQ(step.iteration, static_cast<int>(calls++));
        last = Image<float>(step.image);
        return true;
      };
      const auto found = deblur<float>(*blur, photo.frame, options);
      ASSERT_EQ(found.trace.size(), calls);
      EXPECT_EQ(found.result.iterations + 1, static_cast<int>(calls));
      EXPECT_TRUE(test::same_bits(last, found.image));
      EXPECT_NEAR(found.trace.back().residual, found.residual, 1e-3);
      EXPECT_EQ(found.trace.back().lambda, found.lambda);
      EXPECT_NEAR(found.trace.back().value, found.result.value, 1e-6 * found.result.value);
      const bool descends = method == DeblurMethod::lbfgs || method == DeblurMethod::newton_cg;
      for (std::size_t i = 1; i < calls; ++i) {
        EXPECT_GE(found.trace[i].seconds, found.trace[i - 1].seconds);
        EXPECT_GE(found.trace[i].change, 0.0);
        if (!descends || found.trace[i].lambda != found.trace[i - 1].lambda) continue;
        EXPECT_LE(found.trace[i].value, found.trace[i - 1].value * (1 + 1e-6)) << i;
      }
    }
  }
}

TEST(DeblurCallback, StopsTheWorkAnywhere) {
  const auto blur = psf_operator<float>({1, 1, 50, 55}, gaussian_psf(1.5));
  const Recording<float> photo = portrait<float>(*blur, 0.01);
  for (DeblurMethod method : kIterative) {
    for (int most : {0, 1, 2}) {
      SCOPED_TRACE(message(deblur_method_name(method), ", ", most));
      auto options = by(method);
      Image<float> last;
      options.callback = [&](const DeblurStep<float>& step) {
        last = Image<float>(step.image);
        return step.iteration < most;
      };
      const auto found = deblur<float>(*blur, photo.frame, options);
      EXPECT_EQ(found.result.stop, Stop::cancelled);
      EXPECT_EQ(found.result.iterations, most);
      EXPECT_TRUE(test::same_bits(found.image, last));
      EXPECT_GT(found.residual, 0.0);
    }
  }
}

TEST(DeblurTime, StopsTheWork) {
  const auto blur = psf_operator<float>({1, 1, 120, 128}, gaussian_psf(1.5));
  const Recording<float> photo = portrait<float>(*blur, 0.01);
  for (DeblurMethod method : kIterative) {
    auto options = by(method);
    options.lambda = method == DeblurMethod::richardson_lucy ? 0.0 : 4.0;
    options.max_seconds = 0.02;
    options.max_iterations = 1 << 20;
    options.tolerance = 1e-30;
    const auto found = deblur<float>(*blur, photo.frame, options);
    EXPECT_EQ(found.result.stop, Stop::time) << deblur_method_name(method);
    EXPECT_LT(found.result.seconds, 1.0) << deblur_method_name(method);
    EXPECT_GT(found.result.iterations, 0) << deblur_method_name(method);
    if (method == DeblurMethod::richardson_lucy) continue;  // grows noise as long as it may
    EXPECT_GT(photo.psnr(found.image), 20.0) << deblur_method_name(method);
  }
}

TEST(DeblurStart, IsWhereItBegins) {
  const auto blur = psf_operator<float>({1, 1, 50, 55}, gaussian_psf(1.5));
  const Recording<float> photo = portrait<float>(*blur, 0.01);
  const auto start = test::random_field<float>(blur->scene(), 0.2, 0.8, 5);
  for (DeblurMethod method : kIterative) {
    SCOPED_TRACE(deblur_method_name(method));
    auto options = by(method);
    options.lambda = method == DeblurMethod::richardson_lucy ? 0.0 : 4.0;
    Image<float> first;
    options.callback = [&](const DeblurStep<float>& step) {
      if (step.iteration == 0) first = Image<float>(step.image);
      return true;
    };
    const auto here = deblur<float>(*blur, photo.frame, options, {}, start);
    // Richardson-Lucy sets its start's scale itself, and stops before it forgets it.
    if (method == DeblurMethod::richardson_lucy) {
      const Image<float> shown(blur->visible(start.view()));
      const double product = test::inner(first, shown);
      EXPECT_NEAR(product, test::norm(first) * test::norm(shown), 1e-5 * product);
      continue;
    }
    EXPECT_TRUE(test::same_bits(first, Image<float>(blur->visible(start.view()))));
    const auto there = deblur<float>(*blur, photo.frame, options);
    EXPECT_NEAR(photo.psnr(here.image), photo.psnr(there.image), 0.1);
  }
}

TEST(DeblurThreads, DoNotChangeABit) {
  const auto photo_of = [](const auto& blur) {
    return Recording<float>{blur, test::photograph<float>("astronaut.png", blur.scene(), 20, 100),
                            0.01};
  };
  const auto blur = psf_operator<float>({1, 2, 130, 150}, gaussian_psf(1.5));
  const Recording<float> photo = photo_of(*blur);
  const auto weight = test::random_field<float>({1, 1, 130, 150}, 0.5, 1.0, 1);
  for (DeblurMethod method : {DeblurMethod::wiener, DeblurMethod::tikhonov,
                              DeblurMethod::richardson_lucy, DeblurMethod::primal_dual,
                              DeblurMethod::fista, DeblurMethod::lbfgs, DeblurMethod::newton_cg}) {
    SCOPED_TRACE(deblur_method_name(method));
    const bool closed = method == DeblurMethod::wiener || method == DeblurMethod::tikhonov;
    std::vector<Deblurred<float>> found;
    for (int threads : {1, 2, 5}) {
      auto options = by(method);
      options.threads = threads;
      options.max_iterations = method == DeblurMethod::newton_cg ? 2 : 5;
      if (!closed && method != DeblurMethod::lbfgs) options.lambda = 0.1;  // it chooses for all
      found.push_back(
          deblur<float>(*blur, photo.frame, options, closed ? View<const float>{} : weight.view()));
      EXPECT_TRUE(test::same_bits(found.back().image, found[0].image)) << threads;
      EXPECT_EQ(found.back().lambda, found[0].lambda);
      EXPECT_EQ(found.back().residual, found[0].residual);
      EXPECT_EQ(found.back().freedom, found[0].freedom);
    }
  }
}

}  // namespace
}  // namespace blurfield
