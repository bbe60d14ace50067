// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/filter_bank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "tests/support/npz.h"

namespace blurfield {
namespace {

double at(const Image<double>& kernel, Index y, Index x) {
  return kernel.data()[y * kernel.shape()[1] + x];
}

double sum(const Image<double>& kernel) {
  return std::accumulate(kernel.data(), kernel.data() + kernel.elements(), 0.0);
}

// What the kernel answers to f(y, x), y and x from its centre.
template <class F>
double response(const Image<double>& kernel, const F& f) {
  const Index size = kernel.shape()[0];
  double total = 0;
  for (Index y = 0; y < size; ++y) {
    for (Index x = 0; x < size; ++x) {
      total += at(kernel, y, x) *
               f(static_cast<double>(y - size / 2), static_cast<double>(x - size / 2));
    }
  }
  return total;
}

void expect_weights(const char* name, const std::vector<double>& expected) {
  const Image<double> kernel = make_filter(name, 3);
  ASSERT_EQ(kernel.elements(), 9);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(kernel.data()[i], expected[i]) << name << " " << i;
}

TEST(FilterBank, ClassicWeightsAreExact) {
  expect_weights("identity", {0, 0, 0, 0, 1, 0, 0, 0, 0});
  expect_weights("zero", {0, 0, 0, 0, 0, 0, 0, 0, 0});
  expect_weights("sobel-x", {-1, 0, 1, -2, 0, 2, -1, 0, 1});
  expect_weights("sobel-y", {-1, -2, -1, 0, 0, 0, 1, 2, 1});
  expect_weights("prewitt-x", {-1, 0, 1, -1, 0, 1, -1, 0, 1});
  expect_weights("prewitt-y", {-1, -1, -1, 0, 0, 0, 1, 1, 1});
  expect_weights("scharr-x", {-3, 0, 3, -10, 0, 10, -3, 0, 3});
  expect_weights("scharr-y", {-3, -10, -3, 0, 0, 0, 3, 10, 3});
  expect_weights("laplacian", {0, 1, 0, 1, -4, 1, 0, 1, 0});
  expect_weights("sharpen", {0, -1, 0, -1, 5, -1, 0, -1, 0});
  expect_weights("emboss", {-2, -1, 0, -1, 1, 1, 0, 1, 2});
}

TEST(FilterBank, FiveBinomialRowsAreSobels) {
  const Image<double> sobel = make_filter("sobel-x", 5);
  const std::vector<double> derivative = {-1, -2, 0, 2, 1};
  const std::vector<double> smooth = {1, 4, 6, 4, 1};
  for (std::size_t y = 0; y < 5; ++y) {
    for (std::size_t x = 0; x < 5; ++x) {
      EXPECT_EQ(sobel.data()[5 * y + x], smooth[y] * derivative[x] / 16);
    }
  }
}

TEST(FilterBank, MatchesTheDocument) {
  const test::Npz data("filters.npz");
  const std::vector<std::pair<const char*, const char*>> names = {{"vertical", "vertical"},
                                                                  {"horizontal", "horizontal"},
                                                                  {"flattop", "flattop"},
                                                                  {"gaussian-peak", "gaussian"}};
  for (Index size : {3, 5, 7, 9, 15}) {
    for (int sigma : {1, 2}) {
      for (const auto& [ours, theirs] : names) {
        const auto& expected = data[message("filters_", size, "_s", sigma, "/", theirs)];
        const Image<double> kernel = make_filter(ours, size, sigma);
        ASSERT_EQ(expected.values.size(), static_cast<std::size_t>(kernel.elements()));
        for (std::size_t i = 0; i < expected.values.size(); ++i) {
          EXPECT_NEAR(kernel.data()[i], expected.values[i], 1e-12) << ours << " " << size;
        }
      }
    }
  }
}

TEST(FilterBank, ResponsesToBrightnessSlopeAndCurvatureAreThoseDocumented) {
  const auto one = [](double, double) { return 1.0; };
  const auto along_x = [](double, double x) { return x; };
  const auto along_y = [](double y, double) { return y; };
  const auto bowl = [](double y, double x) { return (y * y + x * x) / 2; };
  for (Index size : {3, 5, 7, 15, 31}) {
    for (const char* name : {"identity", "box", "gaussian", "sharpen", "emboss"}) {
      EXPECT_NEAR(response(make_filter(name, size), one), 1, 1e-12) << name << size;
    }
    const std::vector<std::pair<std::string, double>> gains = {
        {"sobel", 8}, {"prewitt", 6}, {"scharr", 32}};
    for (const auto& [name, gain] : gains) {
      const Image<double> x = make_filter(name + "-x", size);
      const Image<double> y = make_filter(name + "-y", size);
      EXPECT_NEAR(response(x, along_x), gain, 1e-10 * gain) << name << size;
      EXPECT_NEAR(response(y, along_y), gain, 1e-10 * gain) << name << size;
      EXPECT_NEAR(response(x, along_y), 0, 1e-10);
      EXPECT_NEAR(response(x, one), 0, 1e-10);
    }
    for (const char* name : {"vertical", "emboss"}) {
      EXPECT_GT(response(make_filter(name, size), along_x), 0) << name;
    }
    EXPECT_NEAR(response(make_filter("laplacian", size), bowl), 2, 1e-9);
    EXPECT_NEAR(response(make_filter("log", size), one), 0, 1e-14);
    EXPECT_NEAR(response(make_filter("dog", size), one), 0, 1e-14);
  }
  EXPECT_NEAR(response(make_filter("log", 41, 3), bowl), 2, 1e-6);
  EXPECT_LT(at(make_filter("log", 7), 3, 3), 0);
  EXPECT_GT(at(make_filter("dog", 7), 3, 3), 0);
}

TEST(FilterBank, SigmaIsAStandardDeviation) {
  const Image<double> kernel = make_filter("gaussian", 41, 3);
  EXPECT_NEAR(response(kernel, [](double y, double) { return y * y; }), 9, 1e-6);
  EXPECT_NEAR(at(kernel, 20, 23) / at(kernel, 20, 20), std::exp(-0.5), 1e-12);
  const Image<double> usual = make_filter("gaussian", 7);
  const Image<double> sixth = make_filter("gaussian", 7, 7.0 / 6);
  for (Index i = 0; i < 49; ++i) EXPECT_EQ(usual.data()[i], sixth.data()[i]);
}

TEST(FilterBank, EveryFilterIsOddSizedFiniteAndNamedOnce) {
  std::set<std::string_view> names;
  for (const Filter& filter : filter_bank()) {
    EXPECT_TRUE(names.insert(filter.name).second) << filter.name;
    EXPECT_FALSE(filter.summary.empty());
    EXPECT_LE(filter.summary.size(), 80u) << filter.name;
    EXPECT_GE(filter.usual_size, filter.least_size);
    for (Index size : {filter.least_size, filter.usual_size, Index{9}, Index{101}}) {
      const Image<double> kernel = make_filter(filter.name, size);
      EXPECT_EQ(kernel.shape(), (Shape{size, size}));
      EXPECT_TRUE(std::isfinite(sum(kernel))) << filter.name;
    }
    for (double sigma : {1e-200, 1e-3, 1e3, 1e200}) {
      if (!filter.has_sigma || (filter.name == "log" && sigma < 1e-100)) continue;
      EXPECT_TRUE(std::isfinite(sum(make_filter(filter.name, 7, sigma)))) << filter.name << sigma;
    }
  }
}

std::string error_of(std::string_view name, Index size, double sigma = 0) {
  try {
    make_filter(name, size, sigma);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(FilterBankErrors, NameWhatIsWrong) {
  const std::string unknown = error_of("sobel", 3);
  for (const Filter& filter : filter_bank()) {
    EXPECT_NE(unknown.find(filter.name), std::string::npos) << filter.name;
  }
  EXPECT_NE(error_of("box", 4).find("odd"), std::string::npos);
  EXPECT_NE(error_of("box", 0).find("odd"), std::string::npos);
  EXPECT_NE(error_of("box", -3).find("odd"), std::string::npos);
  EXPECT_NE(error_of("sobel-x", 1).find(">= 3"), std::string::npos);
  EXPECT_NE(error_of("gaussian", 5, -1).find("sigma"), std::string::npos);
  EXPECT_NE(error_of("gaussian", 5, NAN).find("sigma"), std::string::npos);
  EXPECT_NE(error_of("gaussian", 5, INFINITY).find("sigma"), std::string::npos);
  EXPECT_NE(error_of("log", 5, 1e-200).find("sigma"), std::string::npos);
  EXPECT_EQ(error_of("gaussian", 1), "");
}

}  // namespace
}  // namespace blurfield
