// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <limits>

#include "blurfield/ops/correlate.h"
#include "tests/support/correlations.h"

namespace blurfield {
namespace {

using test::kMethods;

void expect_refused(const Shape& x, const Shape& kernel, const CorrelateOptions& options,
                    const std::string& why) {
  const auto image = test::random_image<double>(x, 1);
  const auto taps = test::random_image<double>(kernel, 2);
  try {
    correlate<double>(image, taps, options);
    ADD_FAILURE() << "not refused: " << x.text() << " " << kernel.text();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

TEST(CorrelateErrors, NameWhatIsWrong) {
  CorrelateOptions options;
  expect_refused({1, 0, 8, 8}, {3, 3}, options, "extents >= 1");
  expect_refused({1, 2, 8, 8}, {4, 3, 3, 3}, options, "2 channels");
  expect_refused({1, 2, 8, 8}, {3, 3, 3}, options, "2 channels");
  expect_refused({1, 2, 8, 8}, {0, 3}, options, "extents >= 1");
  expect_refused({1, 2, 8, 8}, {1, 1, 2, 3, 3}, options, "expected a kernel");
  expect_refused({8, 8}, {3, 3}, options, "(N, C, H, W)");
  options.output = Output::valid;
  expect_refused({1, 1, 8, 8}, {9, 3}, options, "output of at least 1 pixel");
  options.dilation = {4};
  expect_refused({1, 1, 8, 8}, {3, 3}, options, "output of at least 1 pixel");
  options = {};
  options.stride = {0};
  expect_refused({1, 1, 8, 8}, {3, 3}, options, "stride");
  options.stride = {1, 1, 1};
  expect_refused({1, 1, 8, 8}, {3, 3}, options, "stride");
  options = {};
  options.padding = {-1};
  expect_refused({1, 1, 8, 8}, {3, 3}, options, "padding");
  options.padding = {1};
  options.output = Output::full;
  expect_refused({1, 1, 8, 8}, {3, 3}, options, "either padding or output");
  options = {};
  options.extension.cval = std::numeric_limits<double>::quiet_NaN();
  expect_refused({1, 1, 8, 8}, {3, 3}, options, "cval");
}

TEST(CorrelateErrors, NameTheFirstBadPixel) {
  auto x = test::random_image<float>({1, 1, 40, 50}, 1);
  const auto kernel = test::random_image<float>({5, 5}, 2);
  x.view().at(0, 0, 12, 34) = std::numeric_limits<float>::quiet_NaN();
  for (ConvolutionMethod method : kMethods) {
    for (Output output : {Output::same, Output::full, Output::valid}) {
      CorrelateOptions options;
      options.method = method;
      options.output = output;
      try {
        correlate<float>(x, kernel, options);
        ADD_FAILURE() << "not refused";
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("(0, 0, 12, 34)"), std::string::npos)
            << error.what();
      }
    }
  }
  x.view().at(0, 0, 12, 34) = 0;
  auto taps = test::random_image<float>({5, 5}, 2);
  taps.data()[7] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(correlate<float>(x, taps), Error);
  Image<float> small({1, 1, 39, 50});
  EXPECT_THROW(correlate<float>(x, kernel, small), Error);
}

}  // namespace
}  // namespace blurfield
