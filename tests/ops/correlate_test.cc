// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/correlate.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/reference/correlate_definition.h"
#include "tests/support/correlations.h"
#include "tests/support/npz.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

using test::Case;
using test::kMethods;
using test::kTolerance;
using test::random_case;
using test::relative_error;
using test::text;

template <class T>
class Correlate : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Correlate, Types);

TYPED_TEST(Correlate, AllMethodsMatchTheDefinition) {
  using T = TypeParam;
  Random random(11);
  for (int trial = 0; trial < 250; ++trial) {
    Case c = random_case(random);
    const auto seed = static_cast<std::uint64_t>(trial);
    const auto x = test::random_image<T>(c.x, 2 * seed);
    const auto kernel = test::random_image<T>(c.kernel, 2 * seed + 1);
    const auto expected = test::correlate_by_definition(
        test::converted<double>(x).view(), test::converted<double>(kernel).view(), c.options);
    for (ConvolutionMethod method : kMethods) {
      c.options.method = method;
      const auto out = correlate<T>(x, kernel, c.options);
      ASSERT_EQ(out.shape(), expected.shape()) << text(c, method);
      ASSERT_LT(relative_error(out, expected, x, kernel), kTolerance<T>) << text(c, method);
    }
  }
}

TYPED_TEST(Correlate, LargeKernelsAndImagesMatchTheDefinition) {
  using T = TypeParam;
  const std::array<Case, 6> cases{
      Case{{1, 1, 150, 130}, {31, 29}, {}},   Case{{1, 1, 130, 700}, {17, 17}, {}},
      Case{{1, 2, 20, 24}, {2, 70, 81}, {}},  Case{{1, 1, 90, 40}, {130, 3}, {}},
      Case{{1, 5, 33, 60}, {7, 5, 3, 3}, {}}, Case{{2, 1, 40, 90}, {3, 1, 1, 150}, {}}};
  for (Case c : cases) {
    const auto x = test::random_image<T>(c.x, 1);
    const auto kernel = test::random_image<T>(c.kernel, 2);
    for (Mode mode : {Mode::reflect, Mode::constant}) {
      c.options.extension.mode = mode;
      const auto expected = test::correlate_by_definition(
          test::converted<double>(x).view(), test::converted<double>(kernel).view(), c.options);
      for (ConvolutionMethod method : kMethods) {
        c.options.method = method;
        const auto out = correlate<T>(x, kernel, c.options);
        EXPECT_LT(relative_error(out, expected, x, kernel), kTolerance<T>) << text(c, method);
      }
    }
  }
}

// Taps further apart than a tile of outputs is wide, and rows that could be read where they are.
TYPED_TEST(Correlate, WideDilationsMatchTheDefinition) {
  using T = TypeParam;
  const auto x = test::random_image<T>({1, 1, 3, 5000}, 1);
  const auto kernel = test::random_image<T>({2, 3}, 2);
  for (Index dilation : {1000, 2100, 2500}) {
    CorrelateOptions options;
    options.dilation = std::vector<Index>{1, dilation};
    const auto expected = test::correlate_by_definition(
        test::converted<double>(x).view(), test::converted<double>(kernel).view(), options);
    for (ConvolutionMethod method : kMethods) {
      options.method = method;
      const auto out = correlate<T>(x, kernel, options);
      EXPECT_LT(relative_error(out, expected, x, kernel), kTolerance<T>) << dilation;
    }
  }
}

// A page's result does not depend on the others, whatever their brightness.
TYPED_TEST(Correlate, ImagesOfABatchDoNotMeet) {
  using T = TypeParam;
  auto x = test::random_image<T>({3, 1, 100, 110}, 1);
  const Index size = 100 * 110;
  for (Index i = 0; i < size; ++i) x.data()[i] *= T{1e6};
  const auto kernel = test::random_image<T>({15, 15}, 2);
  for (ConvolutionMethod method : kMethods) {
    CorrelateOptions options;
    options.method = method;
    const auto out = correlate<T>(x, kernel, options);
    for (Index n : {1, 2}) {
      View<const T> page = x;
      page.data += n * size;
      page.shape[0] = 1;
      const auto alone = correlate<T>(page, kernel, options);
      Image<T> among(alone.shape());
      std::copy_n(out.data() + n * size, size, among.data());
      EXPECT_LT(test::distance(among, alone), kTolerance<T>) << method_name(method);
    }
  }
}

TYPED_TEST(Correlate, SignalsAreImagesOfOneRow) {
  using T = TypeParam;
  const auto x = test::random_image<T>({2, 3, 50}, 1);
  const View<const T> row(x.data(), Shape{2, 3, 1, 50});
  const auto kernel = test::random_image<T>({4, 3, 6}, 2);
  const View<const T> kernel_row(kernel.data(), Shape{4, 3, 1, 6});
  CorrelateOptions options;
  options.stride = std::vector<Index>{2};
  options.dilation = std::vector<Index>{3};
  CorrelateOptions on_row;
  on_row.stride = std::vector<Index>{1, 2};
  on_row.dilation = std::vector<Index>{1, 3};
  for (ConvolutionMethod method : kMethods) {
    options.method = on_row.method = method;
    const auto out = correlate<T>(x, kernel, options);
    const auto expected = correlate<T>(row, kernel_row, on_row);
    ASSERT_EQ(out.shape(), (Shape{2, 4, 25}));
    EXPECT_TRUE(std::equal(out.data(), out.data() + out.elements(), expected.data()));
  }
}

TYPED_TEST(Correlate, ReadsAndWritesViewsOfAnyStrides) {
  using T = TypeParam;
  const auto stored = test::random_image<T>({1, 41, 2, 30}, 1);  // (N, W, C, H)
  View<const T> x = stored;
  x.shape = {1, 2, 30, 41};
  x.stride = {0, 30, 1, 60};
  const auto taps = test::random_image<T>({5, 4}, 2);
  View<const T> kernel = taps;
  kernel.shape = {4, 5};
  std::swap(kernel.stride[0], kernel.stride[1]);
  const auto expected = correlate<T>(Image<T>(x), Image<T>(kernel));
  for (ConvolutionMethod method : kMethods) {
    CorrelateOptions options;
    options.method = method;
    Image<T> target({1, 41, 2, 30});
    View<T> out = target;
    out.shape = x.shape;
    out.stride = x.stride;
    correlate<T>(x, kernel, out, options);
    EXPECT_LT(test::distance(Image<T>(View<const T>(out)), expected), kTolerance<T>);
  }
}

TYPED_TEST(Correlate, ThreadsDoNotChangeABit) {
  using T = TypeParam;
  const auto x = test::random_image<T>({2, 3, 130, 140}, 1);
  const auto kernel = test::random_image<T>({4, 3, 7, 9}, 2);
  for (ConvolutionMethod method : kMethods) {
    CorrelateOptions options;
    options.method = method;
    options.execution.threads = 1;
    const auto one = correlate<T>(x, kernel, options);
    Image<T> grad_x(x.shape());
    Image<T> grad_kernel(kernel.shape());
    correlate_vjp<T>(x, kernel, one, grad_x, grad_kernel, options);
    for (int threads : {2, 5}) {
      options.execution.threads = threads;
      EXPECT_TRUE(test::same_bits(correlate<T>(x, kernel, options), one)) << method_name(method);
      Image<T> other_x(x.shape());
      Image<T> other_kernel(kernel.shape());
      correlate_vjp<T>(x, kernel, one, other_x, other_kernel, options);
      EXPECT_TRUE(test::same_bits(other_x, grad_x)) << method_name(method);
      EXPECT_TRUE(test::same_bits(other_kernel, grad_kernel)) << method_name(method);
    }
  }
}

TYPED_TEST(Correlate, EverySimdTargetMatchesTheDefinition) {
  using T = TypeParam;
  const auto x = test::random_image<T>({1, 1, 37, 53}, 1);
  for (Index taps : {1, 2, 3, 4, 5, 6, 7, 70}) {
    const auto kernel = test::random_image<T>({taps, taps}, 2);
    for (Index stride : {1, 2}) {
      CorrelateOptions options;
      options.stride = std::vector<Index>{stride};
      options.method = ConvolutionMethod::direct;
      const auto expected = test::correlate_by_definition(
          test::converted<double>(x).view(), test::converted<double>(kernel).view(), options);
      test::for_each_target([&] {
        const auto out = correlate<T>(x, kernel, options);
        EXPECT_LT(relative_error(out, expected, x, kernel), kTolerance<T>) << taps;
      });
    }
  }
}

// Long sums of one sign lose at most 1e-6.
TEST(CorrelateFloat, KeepsLongSumsAccurate) {
  const auto x = test::random_field<float>({1, 1, 260, 280}, 0.5, 1.5, 1);
  const auto kernel = test::random_field<float>({255, 255}, 0.5, 1.5, 2);
  CorrelateOptions options;
  options.output = Output::valid;
  const auto expected = test::correlate_by_definition(
      test::converted<double>(x).view(), test::converted<double>(kernel).view(), options);
  for (ConvolutionMethod method : kMethods) {
    // The terms of a kernel of full rank cancel.
    if (method == ConvolutionMethod::separable) continue;
    options.method = method;
    const auto out = correlate<float>(x, kernel, options);
    for (Index i = 0; i < out.elements(); ++i) {
      ASSERT_NEAR(static_cast<double>(out.data()[i]) / expected.data()[i], 1.0, 1e-6)
          << method_name(method);
    }
  }
}

TYPED_TEST(Correlate, SizesFollowC1) {
  using T = TypeParam;
  const test::Npz data("conv.npz");
  const auto& table = data["output_size/table_n_k_stride_pad_out"];
  const auto number = [&](Index row, Index column) {
    return static_cast<Index>(table.values[static_cast<std::size_t>(5 * row + column)]);
  };
  for (Index row = 0; row < table.shape[0]; ++row) {
    const Index n = number(row, 0);
    const Index k = number(row, 1);
    CorrelateOptions options;
    options.stride = std::vector<Index>{number(row, 2)};
    options.padding = std::vector<Index>{number(row, 3)};
    const Index expected = number(row, 4);
    if (expected < 1) {
      EXPECT_THROW(correlate_shape({1, 1, n, n}, {k, k}, options), Error);
      continue;
    }
    EXPECT_EQ(correlate_shape({1, 1, n, n}, {k, k}, options), (Shape{1, 1, expected, expected}));
    EXPECT_EQ(correlate<T>(Image<T>({1, 1, n, n}), Image<T>({k, k}), options).shape(),
              (Shape{1, 1, expected, expected}));
  }
}

TYPED_TEST(Correlate, MatchesTheReferenceArrays) {
  using T = TypeParam;
  const test::Npz data("conv.npz");
  struct Reference {
    const char* sizes;
    Index stride;
    Index padding;
  };
  for (const auto& [sizes, stride, padding] :
       {Reference{"17x23_k1x1", 2, 0}, Reference{"17x23_k3x3", 1, 0}, Reference{"17x23_k3x5", 2, 1},
        Reference{"17x23_k4x4", 3, 2}, Reference{"17x23_k5x5", 1, 2}, Reference{"16x16_k3x3", 3, 0},
        Reference{"16x16_k3x5", 1, 1}, Reference{"16x16_k4x4", 2, 1},
        Reference{"16x16_k5x5", 2, 2}}) {
    const std::string name = message("corr_", sizes, "_s", stride, "_p", padding, "/");
    SCOPED_TRACE(name);
    CorrelateOptions options;
    options.extension.mode = Mode::constant;
    options.stride = std::vector<Index>{stride};
    options.padding = std::vector<Index>{padding};
    const auto x = data[name + "x"].image<T>();
    const auto kernel = data[name + "w"].image<T>();
    for (ConvolutionMethod method : kMethods) {
      options.method = method;
      const auto out = correlate<T>(x, kernel, options);
      EXPECT_LT(test::distance(out, data[name + "out"].image<double>()), kTolerance<T>);
      const auto target = data[name + "target"].image<T>();
      Image<T> cotangent(out.shape());
      for (Index i = 0; i < out.elements(); ++i) {
        cotangent.data()[i] = out.data()[i] - target.data()[i];
      }
      Image<T> grad_x(x.shape());
      Image<T> grad_kernel(kernel.shape());
      correlate_vjp<T>(x, kernel, cotangent, grad_x, grad_kernel, options);
      EXPECT_LT(test::distance(grad_x, data[name + "grad_x"].image<double>()), kTolerance<T>);
      EXPECT_LT(test::distance(grad_kernel, data[name + "grad_w"].image<double>()), kTolerance<T>);
    }
  }
}

TYPED_TEST(Correlate, MatchesTheDocumentsFilters) {
  using T = TypeParam;
  const test::Npz data("conv_ascent.npz");
  const test::Npz filters("filters.npz");
  const auto image = data["image/ascent_crop"].image<T>();
  const auto filter = [&](const std::string& name) {
    return filters["filters_7_s1/" + name].image<T>({7, 7});
  };
  CorrelateOptions options;
  options.extension.mode = Mode::constant;
  const auto expect_array = [&](const Image<T>& out, const std::string& name) {
    EXPECT_LT(test::distance(out, data[name].image<double>()), kTolerance<T>) << name;
  };
  for (ConvolutionMethod method : kMethods) {
    options.method = method;
    options.output = Output::same;
    expect_array(correlate<T>(image, filter("vertical"), options), "same7/vertical_correlate");
    expect_array(convolve<T>(image, filter("vertical"), options), "same7/vertical_fft_convolve");
    expect_array(correlate<T>(image, filter("flattop"), options), "same7/flattop_correlate");
    expect_array(convolve<T>(image, filter("flattop"), options), "same7/flattop_correlate");
    options.output = Output::valid;
    expect_array(correlate<T>(image, filter("horizontal"), options), "valid7/horizontal");
  }
}

TYPED_TEST(Correlate, OnlySymmetricKernelsConvolveAsTheyCorrelate) {
  using T = TypeParam;
  const auto x = test::random_image<T>({1, 1, 30, 31}, 1);
  const auto skew = test::random_image<T>({5, 3}, 2);
  Image<T> turned(skew.shape());
  std::reverse_copy(skew.data(), skew.data() + skew.elements(), turned.data());
  Image<T> symmetric(skew.shape());
  for (Index i = 0; i < skew.elements(); ++i) {
    symmetric.data()[i] = skew.data()[i] + turned.data()[i];
  }
  for (ConvolutionMethod method : kMethods) {
    CorrelateOptions options;
    options.method = method;
    EXPECT_LT(
        test::distance(correlate<T>(x, symmetric, options), convolve<T>(x, symmetric, options)),
        kTolerance<T>);
    EXPECT_GT(test::distance(correlate<T>(x, skew, options), convolve<T>(x, skew, options)), 0.1);
    EXPECT_LT(test::distance(correlate<T>(x, turned, options), convolve<T>(x, skew, options)),
              kTolerance<T>);
  }
}

// For even sizes the anchor is taps / 2, as SciPy's ndimage has it.
TEST(CorrelateEven, AnchorIsHalfTheTaps) {
  Image<double> x({1, 1, 1, 6});
  x.data()[2] = 1.0;
  Image<double> kernel({1, 4});
  for (int i = 0; i < 4; ++i) kernel.data()[i] = i + 1;
  const auto correlated = correlate<double>(x, kernel);
  // out(o) = w(i) where o + i - 2 = 2.
  for (Index o = 0; o < 6; ++o) {
    const Index tap = 4 - o;
    const double expected = tap >= 0 && tap < 4 ? static_cast<double>(tap + 1) : 0.0;
    EXPECT_NEAR(correlated.data()[o], expected, 1e-15) << o;
  }
  const auto convolved = convolve<double>(x, kernel);
  for (Index o = 0; o < 6; ++o) {
    const Index tap = o;  // o - (i - 2) = 2
    const double expected = tap < 4 ? static_cast<double>(tap + 1) : 0.0;
    EXPECT_NEAR(convolved.data()[o], expected, 1e-15) << o;
  }
}

TEST(CorrelatePlanning, FindsLowRanksAndRunsNamedMethods) {
  Image<float> box({31, 31});
  std::fill_n(box.data(), box.elements(), 1.0F / 961);
  const auto plan = plan_correlate<float>({1, 1, 512, 512}, box.view());
  EXPECT_EQ(plan.method, ConvolutionMethod::separable);
  EXPECT_EQ(plan.rank, 1);
  EXPECT_EQ(plan.multiply_adds, 512.0 * 512 * 961);
  const auto noise = test::random_image<float>({31, 31}, 1);
  EXPECT_NE(plan_correlate<float>({1, 1, 512, 512}, noise.view()).method,
            ConvolutionMethod::separable);
  CorrelateOptions options;
  options.method = ConvolutionMethod::separable;
  EXPECT_EQ(plan_correlate<float>({1, 1, 512, 512}, noise.view(), options).rank, 31);
  EXPECT_EQ(plan_correlate<float>({1, 1, 512, 512}, noise.view(), options).method,
            ConvolutionMethod::separable);
}

TEST(CorrelateNames, ParseBack) {
  for (ConvolutionMethod method : kMethods) EXPECT_EQ(parse_method(method_name(method)), method);
  for (Output output : {Output::same, Output::full, Output::valid}) {
    EXPECT_EQ(parse_output(output_name(output)), output);
  }
  EXPECT_EQ(parse_method("winograd"), std::nullopt);
  EXPECT_EQ(parse_output("Same"), std::nullopt);
}

}  // namespace
}  // namespace blurfield
