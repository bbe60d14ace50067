// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/sliding_window.h"

#include <limits>

#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

// What an Error says when f throws one; a failure if it does not.
template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

template <class T>
class SlidingWindow : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SlidingWindow, Types);

TYPED_TEST(SlidingWindow, ViewsEveryWindowOfAnImage) {
  using T = TypeParam;
  auto x = test::random_image<T>({2, 3, 11, 9}, 1);
  for (const std::vector<Index>& stride : {std::vector<Index>{}, {2}, {3, 4}, {20, 1}}) {
    const View<T> windows = sliding_window<T>(x, {4, 3}, stride);
    const Index sy = stride.empty() ? 1 : stride.front();
    const Index sx = stride.empty() ? 1 : stride.back();
    ASSERT_EQ(windows.shape, (Shape{2, 3, 7 / sy + 1, 6 / sx + 1, 4, 3}));
    for (Index n = 0; n < 2; ++n) {
      for (Index c = 0; c < 3; ++c) {
        for (Index y = 0; y < windows.shape[2]; ++y) {
          for (Index col = 0; col < windows.shape[3]; ++col) {
            for (Index i = 0; i < 4; ++i) {
              for (Index j = 0; j < 3; ++j) {
                const auto& s = windows.stride;
                T* pixel = windows.data + n * s[0] + c * s[1] + y * s[2] + col * s[3] + i * s[4] +
                           j * s[5];
                ASSERT_EQ(pixel, &x.view().at(n, c, y * sy + i, col * sx + j));
              }
            }
          }
        }
      }
    }
  }
}

TYPED_TEST(SlidingWindow, ViewsSignalsAndViewsOfAnyStrides) {
  using T = TypeParam;
  const auto x = test::random_image<T>({2, 10}, 1);
  // Every second sample, backwards.
  const View<const T> v(x.data() + 9, {2, 1, 5}, {10, 0, -2});
  const View<const T> windows = sliding_window<const T>(v, {3}, {2});
  ASSERT_EQ(windows.shape, (Shape{2, 1, 2, 3}));
  for (Index n = 0; n < 2; ++n) {
    for (Index at = 0; at < 2; ++at) {
      for (Index i = 0; i < 3; ++i) {
        EXPECT_EQ(
            &windows.data[n * windows.stride[0] + at * windows.stride[2] + i * windows.stride[3]],
            &v.at(n, 0, 0, 2 * at + i));
      }
    }
  }
}

TEST(SlidingWindowErrors, NameWhatIsWrong) {
  const Image<float> x({1, 1, 5, 6});
  const auto run = [&](const std::vector<Index>& window, const std::vector<Index>& stride) {
    return error_of([&] { sliding_window<const float>(x, window, stride); });
  };
  EXPECT_EQ(run({6, 3}, {}), "sliding_window: expected a window of 1..5 pixels on axis 0, got 6");
  EXPECT_EQ(run({3, 0}, {}), "sliding_window: expected a window of 1..6 pixels on axis 1, got 0");
  EXPECT_EQ(run({3}, {}), "sliding_window: expected a window of 2 extents, got 1");
  EXPECT_EQ(run({3, 3}, {0}), "sliding_window: expected stride in 1..2^30, got 0");
  EXPECT_EQ(run({3, 3}, {1, 1, 1}),
            "sliding_window: expected one stride or 2, one per axis; got 3");
  EXPECT_EQ(error_of([] {
              sliding_window<const float>({}, {3, 3});
            }),
            "sliding_window: expected image shaped (N, C, L) or (N, C, H, W), got ()");
}

struct Case {
  Shape x;
  std::vector<Index> window;
  CorrelateOptions options;
  std::string text;
};

// Images and signals under all options that leave an output.
Case random_case(Random& random) {
  while (true) {
    Case c;
    const bool signal = random.uniform() < 0.3;
    const auto list = [&](Index low, Index high) {
      std::vector<Index> values;
      for (Index i = random.integer(0, signal ? 1 : 2); i > 0; --i) {
        values.push_back(random.integer(low, high));
      }
      return values;
    };
    c.x = {random.integer(1, 2), random.integer(1, 3), random.integer(1, 12)};
    if (!signal) c.x = {c.x[0], c.x[1], c.x[2], random.integer(1, 12)};
    c.window.assign(signal ? 1 : 2, 1);
    for (Index& extent : c.window) extent = random.integer(1, 6);
    c.options.extension = {test::kModes[static_cast<std::size_t>(random.integer(0, 4))], 0.7};
    c.options.stride = list(1, 3);
    c.options.dilation = list(1, 3);
    if (random.uniform() < 0.3) {
      c.options.padding = list(0, 6);
    } else {
      c.options.output = static_cast<Output>(random.integer(0, 2));
    }
    try {
      c.text = message("x ", c.x.text(), " columns ", im2col_shape(c.x, c.window, c.options).text(),
                       " ", mode_name(c.options.extension.mode));
      return c;
    } catch (const Error&) {
      continue;  // a window larger than the image
    }
  }
}

TYPED_TEST(SlidingWindow, Im2colTimesAKernelIsItsCorrelation) {
  using T = TypeParam;
  Random random(1);
  for (int trial = 0; trial < 150; ++trial) {
    const Case c = random_case(random);
    const auto x = test::random_image<T>(c.x, 1);
    const Shape shape = im2col_shape(c.x, c.window, c.options);
    Image<T> columns(shape);
    im2col<T>(x, c.window, columns, c.options);
    Shape bank{2, c.x[1], c.window[0], c.window.back()};
    if (c.x.rank() == 3) bank = {2, c.x[1], c.window[0]};
    const auto kernels = test::random_image<T>(bank, 2);
    CorrelateOptions options = c.options;
    options.method = ConvolutionMethod::direct;
    const auto expected = correlate<T>(x, kernels, options);
    ASSERT_EQ(expected.elements(), shape[0] * 2 * shape[2]) << c.text;
    for (Index n = 0; n < shape[0]; ++n) {
      for (Index k = 0; k < 2; ++k) {
        for (Index p = 0; p < shape[2]; ++p) {
          double sum = 0.0;
          for (Index row = 0; row < shape[1]; ++row) {
            sum += static_cast<double>(kernels.data()[k * shape[1] + row]) *
                   static_cast<double>(columns.data()[(n * shape[1] + row) * shape[2] + p]);
          }
          ASSERT_NEAR(static_cast<double>(expected.data()[(n * 2 + k) * shape[2] + p]), sum,
                      sizeof(T) == 8 ? 1e-12 : 1e-4)
              << c.text;
        }
      }
    }
  }
}

TYPED_TEST(SlidingWindow, Im2colHoldsTheSlidingWindows) {
  using T = TypeParam;
  const auto x = test::random_image<T>({2, 2, 9, 8}, 1);
  CorrelateOptions options;
  options.output = Output::valid;
  options.stride = {2, 1};
  options.flip = true;  // not used
  Image<T> columns(im2col_shape(x.shape(), {3, 4}, options));
  im2col<T>(x, {3, 4}, columns, options);
  const View<const T> windows = sliding_window<const T>(x, {3, 4}, {2, 1});
  View<const T> turned = windows;  // (N, C, kh, kw, Ho, Wo)
  for (int axis = 0; axis < 4; ++axis) {
    turned.shape[2 + axis] = windows.shape[2 + (axis + 2) % 4];
    turned.stride[2 + axis] = windows.stride[2 + (axis + 2) % 4];
  }
  const Image<T> expected(turned);
  ASSERT_EQ(columns.elements(), expected.elements());
  EXPECT_TRUE(std::equal(columns.data(), columns.data() + columns.elements(), expected.data()));
}

TEST(Col2im, IsTheAdjointOfIm2col) {
  Random random(2);
  for (int trial = 0; trial < 150; ++trial) {
    Case c = random_case(random);
    SCOPED_TRACE(c.text);
    c.options.extension.cval = 0.0;
    const Shape shape = im2col_shape(c.x, c.window, c.options);
    test::expect_adjoint<double>(
        c.x, shape,
        [&](const auto& x) {
          Image<double> columns(shape);
          im2col<double>(x, c.window, columns, c.options);
          return columns;
        },
        [&](const auto& columns) {
          Image<double> x(c.x);
          col2im<double>(columns, c.window, x, c.options);
          return x;
        });
  }
}

// Each pixel is read by as many entries as windows see it.
TYPED_TEST(SlidingWindow, Col2imOfOnesCountsTheWindows) {
  using T = TypeParam;
  CorrelateOptions options;
  options.output = Output::valid;
  const auto ones = test::constant_image<T>(im2col_shape({1, 1, 3, 4}, {2, 3}, options), 1.0);
  Image<T> x({1, 1, 3, 4});
  col2im<T>(ones, {2, 3}, x, options);
  const std::vector<T> expected{1, 2, 2, 1, 2, 4, 4, 2, 1, 2, 2, 1};
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), x.data()));
}

TYPED_TEST(SlidingWindow, PacksViewsOfAnyStridesOnAnyThreads) {
  using T = TypeParam;
  const auto x = test::random_image<T>({2, 3, 40, 70}, 1);
  CorrelateOptions options;
  options.stride = {1, 2};
  options.dilation = {3, 1};
  options.execution.threads = 1;
  const std::vector<Index> window{9, 10};
  Image<T> columns(im2col_shape(x.shape(), window, options));
  im2col<T>(x, window, columns, options);
  Image<T> back(x.shape());
  col2im<T>(columns, window, back, options);
  Image<T> turned({70, 3, 40, 2});
  View<T> x_view(turned.data(), x.shape(), {1, 80, 2, 240});
  copy<T>(x, x_view);
  const Shape& s = columns.shape();
  Image<T> store({s[2], s[1], s[0]});
  const View<T> columns_view(store.data(), s, {1, s[0], s[0] * s[1]});
  for (int threads : {1, 2, 5}) {
    options.execution.threads = threads;
    std::fill_n(store.data(), store.elements(), T{0});
    im2col<T>(x_view, window, columns_view, options);
    EXPECT_TRUE(test::same_bits(Image<T>(View<const T>(columns_view)), columns)) << threads;
    Image<T> other_store({70, 3, 40, 2});
    const View<T> other(other_store.data(), x.shape(), {1, 80, 2, 240});
    col2im<T>(columns_view, window, other, options);
    EXPECT_TRUE(test::same_bits(Image<T>(View<const T>(other)), back)) << threads;
  }
}

TEST(Im2colErrors, NameWhatIsWrong) {
  auto x = test::random_image<float>({1, 2, 5, 6}, 1);
  CorrelateOptions options;
  Image<float> columns(im2col_shape(x.shape(), {3, 3}, options));
  EXPECT_EQ(columns.shape(), (Shape{1, 18, 30}));
  Image<float> few({1, 17, 30});
  EXPECT_EQ(error_of([&] {
              im2col<float>(x, {3, 3}, few, options);
            }),
            "im2col: expected columns shaped (1, 18, 30), got (1, 17, 30)");
  EXPECT_EQ(error_of([&] {
              col2im<float>(few, {3, 3}, x, options);
            }),
            "col2im: expected columns shaped (1, 18, 30), got (1, 17, 30)");
  EXPECT_NE(error_of([&] {
              im2col<float>(x, {3, 0}, columns, options);
            }).find("got 0"),
            std::string::npos);
  x.data()[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(error_of([&] {
              im2col<float>(x, {3, 3}, columns, options);
            }),
            "im2col: expected finite pixels in image, got inf at (0, 0, 0, 3)");
  columns.data()[30] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error_of([&] {
              col2im<float>(columns, {3, 3}, x, options);
            }),
            "col2im: expected finite pixels in columns, got nan at (0, 1, 0)");
  options.output = Output::valid;
  EXPECT_NE(error_of([&] {
              im2col_shape({1, 1, 2, 6}, {3, 3}, options);
            }).find("at least 1 pixel"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              im2col_shape({1, 0, 5, 6}, {3, 3}, options);
            }).find("extents >= 1"),
            std::string::npos);
}

}  // namespace
}  // namespace blurfield
