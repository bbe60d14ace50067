// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "blurfield/learn/estimate.h"
#include "tests/support/images.h"

namespace blurfield::test {
namespace {

// The message of what `call` throws.
std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

const Image<double> kImage = random_image<double>({1, 1, 8, 9}, 1);

std::string with_options(const std::function<void(EstimateOptions&)>& change) {
  EstimateOptions options;
  change(options);
  return message_of([&] { estimate<double>(kImage, kImage, options); });
}

TEST(EstimateErrors, ImagesThatDoNotMatch) {
  const Image<double> other = random_image<double>({1, 3, 8, 9}, 1);
  EXPECT_EQ(message_of([&] { estimate<double>(kImage, other); }),
            "estimate: expected blurred image shaped (1, 1, 8, 9), got (1, 3, 8, 9)");
  Image<double> nan(kImage.view());
  nan.view().at(0, 0, 2, 3) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(message_of([&] { estimate<double>(nan, kImage); }).find("sharp image"),
            std::string::npos);
  EXPECT_NE(message_of([&] { estimate<double>(kImage, nan); }).find("(0, 0, 2, 3)"),
            std::string::npos);
}

TEST(EstimateErrors, OptionsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<const char*, std::function<void(EstimateOptions&)>>> cases = {
      {"lambda", [](auto& o) { o.lambda = -1.0; }},
      {"lambda", [&](auto& o) { o.lambda = nan; }},
      {"noise", [](auto& o) { o.noise = 0.0; }},
      {"tv_scale", [](auto& o) { o.tv_scale = 0.0; }},
      {"tolerance", [](auto& o) { o.tolerance = -1e-3; }},
      {"rate", [](auto& o) { o.rate = 0.0; }},
      {"max_sigma", [](auto& o) { o.max_sigma = -2.0; }},
      {"max_iterations", [](auto& o) { o.max_iterations = -1; }},
      {"confidence_window", [&](auto& o) { o.confidence_window = nan; }},
      {"truncate", [](auto& o) { o.blur.truncate = 0.0; }},
  };
  for (const auto& [name, change] : cases) {
    EXPECT_NE(with_options(change).find(name), std::string::npos)
        << name << ": " << with_options(change);
  }
  EXPECT_NE(with_options([](auto& o) {
              o.model = BlurModel::mix;
              o.learn_sigmas = true;
              o.sigmas = {0.0, 3.0};
            }).find("sigma of the mix"),
            std::string::npos);
}

TEST(EstimateErrors, MaskStartAndSignals) {
  const Image<double> narrow = constant_image<double>({1, 1, 8, 8}, 1.0);
  EXPECT_NE(message_of([&] { estimate<double>(kImage, kImage, {}, narrow); }).find("mask"),
            std::string::npos);
  const Image<double> negative = constant_image<double>({1, 1, 8, 9}, -1.0);
  EXPECT_NE(message_of([&] { estimate<double>(kImage, kImage, {}, negative); }).find(">= 0"),
            std::string::npos);
  EXPECT_NE(message_of([&] { estimate<double>(kImage, kImage, {}, {}, narrow); }).find("start"),
            std::string::npos);
  const Image<double> signal = random_image<double>({1, 1, 30}, 1);
  EstimateOptions options;
  options.model = BlurModel::logchol;
  EXPECT_NE(message_of([&] { estimate<double>(signal, signal, options); }).find("logchol"),
            std::string::npos);
}

TEST(EstimateNames, GoBothWays) {
  for (const char* name : {"sigma", "uniform", "sigma-yx", "logchol", "mix"}) {
    EXPECT_EQ(model_name(parse_model(name).value()), name);
  }
  for (const char* name : {"none", "smooth", "tv"}) {
    EXPECT_EQ(prior_name(parse_prior(name).value()), name);
  }
  for (const char* name : {"gauss-newton", "lbfgs", "adamax", "gradient-descent"}) {
    EXPECT_EQ(estimate_method_name(parse_estimate_method(name).value()), name);
  }
  EXPECT_FALSE(parse_model("Sigma"));
  EXPECT_FALSE(parse_prior(""));
  EXPECT_FALSE(parse_estimate_method("newton"));
}

}  // namespace
}  // namespace blurfield::test
