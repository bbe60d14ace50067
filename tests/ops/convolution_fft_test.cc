// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "blurfield/fft/row_fft.h"
#include "blurfield/ops/detail/convolution/correlation.h"
#include "blurfield/ops/detail/convolution/fft/blocks.h"
#include "tests/reference/correlate_reference.h"
#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

using detail::Correlation;
using detail::CorrelationAxis;
using detail::FftAxis;
using detail::FftBlocks;
using detail::KernelGradient;

// The arrays of a correlation, all views of every second column of a larger array.
template <class T>
struct Job {
  Job(Index batch, Index groups, Index outputs, Index inputs, const CorrelationAxis& y_axis,
      const CorrelationAxis& x_axis, bool shared, std::uint64_t seed)
      : x(test::random_image<T>({batch, groups * inputs, y_axis.in + 1, 2 * x_axis.in}, seed)),
        kernels(test::random_image<T>(
            {shared ? 1 : groups, outputs, inputs, y_axis.taps, x_axis.taps}, seed + 1)),
        out({batch, groups * outputs, y_axis.out + 1, 2 * x_axis.out}) {
    job.x = half<const T>(x, y_axis.in, x_axis.in);
    job.kernels = kernels.view();
    job.kernels.shape[0] = groups;
    if (shared) job.kernels.stride[0] = 0;
    job.out = half<T>(out.view(), y_axis.out, x_axis.out);
    job.y_axis = y_axis;
    job.x_axis = x_axis;
  }
  template <class V>
  static View<V> half(View<V> view, Index height, Index width) {
    view.shape[2] = height;
    view.shape[3] = width;
    view.stride[3] = 2;
    return view;
  }

  // The largest possible |output|.
  double bound() const {
    double pixel = std::abs(job.extension.cval);
    for (Index i = 0; i < x.elements(); ++i) {
      pixel = std::max(pixel, std::abs(static_cast<double>(x.data()[i])));
    }
    double sum = 0.0;
    for (Index i = 0; i < kernels.elements(); ++i) {
      sum += std::abs(static_cast<double>(kernels.data()[i]));
    }
    return pixel * sum / static_cast<double>(kernels.shape()[0] * kernels.shape()[1]);
  }

  Image<T> x;
  Image<T> kernels;
  Image<T> out;
  Correlation<T> job;
};

template <class T>
double largest_gap(const Image<T>& got, const Image<double>& expected) {
  double worst = 0.0;
  for (Index i = 0; i < got.elements(); ++i) {
    const double gap = std::abs(static_cast<double>(got.data()[i]) - expected.data()[i]);
    worst = gap <= worst ? worst : (std::isnan(gap) ? INFINITY : gap);
  }
  return worst;
}

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;

template <class T>
void expect_correlation(Job<T>& job) {
  const Image<T> untouched(job.out.view());
  detail::correlate_fft(job.job);
  const double gap =
      largest_gap(Image<T>(View<const T>(job.job.out)), test::correlate_reference(job.job));
  EXPECT_LE(gap, kTolerance<T> * job.bound());
  copy<T>(Image<T>(job.job.out.shape), job.job.out);
  EXPECT_TRUE(test::same_bits(job.out, untouched)) << "wrote beside its output";
}

template <class T>
Image<double> kernel_gradient(const Correlation<T>& job, const View<const T>& cotangent) {
  Image<double> grad({job.kernels.stride[0] == 0 ? 1 : job.groups(), job.outputs(), job.inputs(),
                      job.y_axis.taps, job.x_axis.taps});
  detail::kernel_gradient_fft<T>({job, cotangent, grad.view()});
  return grad;
}

template <class T>
void expect_kernel_gradient(const Job<T>& job) {
  const Image<T> noise = test::random_image<T>(job.out.shape(), 99);
  const View<const T> cotangent =
      Job<T>::template half<const T>(noise, job.job.y_axis.out, job.job.x_axis.out);
  const Image<double> grad = kernel_gradient(job.job, cotangent);
  Image<double> expected(grad.shape());
  expected = test::kernel_gradient_reference<T>({job.job, cotangent, expected.view()});
  double largest = 0.0;
  for (Index i = 0; i < expected.elements(); ++i) {
    largest = std::max(largest, std::abs(expected.data()[i]));
  }
  // Sums of few products may cancel.
  EXPECT_LE(largest_gap(grad, expected), kTolerance<T> * std::max(largest, 5.0));
}

CorrelationAxis random_axis(Random& random, Index most_pixels, Index most_taps) {
  CorrelationAxis axis;
  axis.in = random.integer(1, most_pixels);
  axis.out = random.integer(1, most_pixels + 5);
  axis.taps = random.integer(1, most_taps);
  axis.stride = random.integer(1, 2) == 1 ? 1 : random.integer(1, 6);
  axis.dilation = random.integer(1, 2) == 1 ? 1 : random.integer(1, 6);
  axis.before = random.integer(-3, axis.span() + 2);
  return axis;
}

std::string text(const CorrelationAxis& axis) {
  return message(axis.in, " -> ", axis.out, ", ", axis.taps, " taps, before ", axis.before,
                 ", stride ", axis.stride, ", dilation ", axis.dilation, "; ");
}

template <class T>
class ConvolutionFft : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ConvolutionFft, Types);

TYPED_TEST(ConvolutionFft, EqualsTheDefinition) {
  using T = TypeParam;
  Random random(1);
  for (std::uint64_t i = 0; i < 150; ++i) {
    const bool large = i % 5 == 0;  // kernels that exceed the image
    const CorrelationAxis y_axis = random_axis(random, large ? 9 : 24, large ? 20 : 7);
    const CorrelationAxis x_axis = random_axis(random, large ? 7 : 30, large ? 23 : 8);
    Job<T> job(random.integer(1, 3), random.integer(1, 3), random.integer(1, 3),
               random.integer(1, 3), y_axis, x_axis, random.integer(0, 1) == 1, i);
    const Mode mode = test::kModes[i % test::kModes.size()];
    job.job.extension = {mode, mode == Mode::constant ? 0.7 : 0.0};
    SCOPED_TRACE(text(y_axis) + text(x_axis) + std::string(mode_name(mode)));
    expect_correlation(job);
    expect_kernel_gradient(job);
  }
}

TYPED_TEST(ConvolutionFft, EqualsTheDefinitionInManyBlocks) {
  using T = TypeParam;
  const std::array<CorrelationAxis, 4> axes{{{230, 229, 5, 3, 1, 1},
                                             {300, 301, 4, -2, 1, 1},
                                             {511, 170, 3, 1, 3, 2},
                                             {480, 473, 3, 2, 1, 4}}};
  for (const CorrelationAxis& y_axis : axes) {
    for (const CorrelationAxis& x_axis : axes) {
      Job<T> job(1, 1, 1, 1, y_axis, x_axis, true, 5);
      job.job.extension.mode = Mode::mirror;
      SCOPED_TRACE(text(y_axis) + text(x_axis));
      EXPECT_GT(detail::fft_blocks(job.job).pairs, 3);
      expect_correlation(job);
      expect_kernel_gradient(job);
    }
  }
}

TYPED_TEST(ConvolutionFft, TakesSignals) {
  using T = TypeParam;
  const CorrelationAxis none;
  for (Index taps : {1, 2, 31, 400}) {
    const CorrelationAxis axis{3000, 1500, taps, taps / 2, 2, 1};
    Job<T> job(2, 1, 2, 1, none, axis, true, 3);
    expect_correlation(job);
    expect_kernel_gradient(job);
  }
}

TYPED_TEST(ConvolutionFft, DoesNotDependOnTheNumberOfThreads) {
  using T = TypeParam;
  const CorrelationAxis axis{150, 150, 20, 10, 1, 1};
  Job<T> job(2, 2, 2, 2, axis, axis, false, 3);
  const Image<T> cotangent =
      test::random_image<T>({2, 4, job.job.y_axis.out, job.job.x_axis.out}, 4);
  job.job.execution.threads = 1;
  detail::correlate_fft(job.job);
  const Image<T> out(job.out.view());
  const Image<double> grad = kernel_gradient<T>(job.job, cotangent);
  for (int threads : {2, 3, 8}) {
    job.job.execution.threads = threads;
    detail::correlate_fft(job.job);
    EXPECT_TRUE(test::same_bits(out, job.out));
    EXPECT_TRUE(test::same_bits(grad, kernel_gradient<T>(job.job, cotangent)));
  }
}

// A workspace is handed on from block to block, in an order that depends on the threads.
TYPED_TEST(ConvolutionFft, KeepsNothingOfEarlierBlocks) {
  using T = TypeParam;
  const CorrelationAxis axis{150, 150, 20, 10, 1, 1};
  Job<T> job(2, 1, 1, 1, axis, axis, false, 3);
  const FftBlocks blocks = detail::fft_blocks(job.job);
  EXPECT_GT(blocks.y.size, blocks.y.window());
  EXPECT_EQ(blocks.y.blocks * blocks.x.blocks % 2, 0);  // no pair has blocks of both images
  job.job.execution.threads = 1;
  detail::correlate_fft(job.job);
  const Image<T> out(job.out.view());
  std::fill_n(job.x.data(), job.x.elements() / 2, T{7});
  detail::correlate_fft(job.job);
  const Index half = out.elements() / 2;
  EXPECT_FALSE(std::equal(out.data(), out.data() + half, job.out.data()));
  EXPECT_TRUE(std::equal(out.data() + half, out.data() + 2 * half, job.out.data() + half));
}

TEST(ConvolutionFftProgress, IsToldAndMayCancel) {
  const CorrelationAxis axis{300, 300, 9, 4, 1, 1};
  Job<float> job(1, 1, 1, 1, axis, axis, false, 3);
  const Image<float> cotangent({1, 1, 300, 300});
  double last = 0.0;
  job.job.execution.progress = [&](double done) {
    EXPECT_GE(done, last);
    last = done;
    return true;
  };
  detail::correlate_fft(job.job);
  EXPECT_DOUBLE_EQ(last, 1.0);
  last = 0.0;
  kernel_gradient<float>(job.job, cotangent);
  EXPECT_DOUBLE_EQ(last, 1.0);
  job.job.execution.progress = [](double) { return false; };
  EXPECT_THROW(detail::correlate_fft(job.job), Cancelled);
  EXPECT_THROW(kernel_gradient<float>(job.job, cotangent), Cancelled);
}

void expect_cover(const FftAxis& cut, const CorrelationAxis& axis) {
  EXPECT_GE(cut.phases * cut.out, axis.out);
  EXPECT_GE(cut.blocks * cut.valid, cut.out);
  EXPECT_LT((cut.blocks - 1) * cut.valid, cut.out);
  EXPECT_GE(cut.parts * cut.taps, axis.taps);
  EXPECT_GE(cut.size, cut.window());
  EXPECT_EQ(cut.size, fft::smooth_size(cut.size));
}

TEST(FftBlocks, CoverTheOutputWithinTheBudget) {
  Random random(2);
  for (Index i = 0; i < 300; ++i) {
    const CorrelationAxis y_axis = random_axis(random, 3000, 100);
    const CorrelationAxis x_axis = random_axis(random, 3000, 100);
    const float pixel = 0.0f;
    Correlation<float> job;
    const Index channels = random.integer(1, 8);
    job.x = {&pixel, {1, channels, y_axis.in, x_axis.in}};
    job.kernels = {&pixel, {1, random.integer(1, 8), channels, y_axis.taps, x_axis.taps}};
    job.y_axis = y_axis;
    job.x_axis = x_axis;
    SCOPED_TRACE(text(y_axis) + text(x_axis));
    const FftBlocks least = detail::fft_blocks(job, 0.0);
    const double budget = 20e6;
    const FftBlocks blocks = detail::fft_blocks(job, budget);
    expect_cover(blocks.y, y_axis);
    expect_cover(blocks.x, x_axis);
    EXPECT_LE(blocks.spectra_bytes, std::max(budget, least.spectra_bytes));
    const auto parts = static_cast<double>(blocks.y.parts * blocks.x.parts);
    const auto area = static_cast<double>(blocks.y.size * blocks.x.size);
    const double kernels = static_cast<double>(job.outputs() * channels) * parts;
    const auto pairs = static_cast<double>(blocks.pairs);
    EXPECT_DOUBLE_EQ(blocks.spectra_bytes, 8.0 * kernels * area);
    EXPECT_DOUBLE_EQ(blocks.products, pairs * kernels * area);
    EXPECT_DOUBLE_EQ(blocks.transforms, kernels + pairs * (static_cast<double>(channels) * parts +
                                                           static_cast<double>(job.outputs())));
    EXPECT_GT(blocks.nanoseconds, 0.0);
  }
}

}  // namespace
}  // namespace blurfield
