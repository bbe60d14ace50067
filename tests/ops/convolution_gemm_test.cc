// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "blurfield/ops/detail/convolution/correlation.h"
#include "blurfield/ops/detail/convolution/gemm_panels.h"
#include "tests/reference/correlate_reference.h"
#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"

namespace blurfield {
namespace {

using detail::Correlation;
using detail::CorrelationAxis;
using detail::KernelGradient;

// Shapes of a correlation; `shared`: one set of kernels for all groups.
struct Case {
  Index batch = 1;
  Index groups = 1;
  Index outputs = 1;
  Index inputs = 1;
  bool shared = false;
  CorrelationAxis y_axis;
  CorrelationAxis x_axis;
  Extension extension;

  Shape x() const { return {batch, groups * inputs, y_axis.in, x_axis.in}; }
  Shape kernels() const { return {shared ? 1 : groups, outputs, inputs, y_axis.taps, x_axis.taps}; }
  Shape out() const { return {batch, groups * outputs, y_axis.out, x_axis.out}; }
  std::string text() const {
    return message("x ", x().text(), " kernels ", kernels().text(), " out ", out().text(),
                   shared ? " shared " : " ", mode_name(extension.mode), " before ", y_axis.before,
                   " ", x_axis.before, " stride ", y_axis.stride, " ", x_axis.stride, " dilation ",
                   y_axis.dilation, " ", x_axis.dilation);
  }
};

template <class T>
Correlation<T> job_of(const Case& c, const View<const T>& x, const Image<T>& kernels,
                      const View<T>& out, int threads = 0) {
  View<const T> k = kernels;
  k.shape[0] = c.groups;
  if (c.shared) k.stride[0] = 0;
  return {x, k, out, c.y_axis, c.x_axis, c.extension, {threads, {}}};
}

CorrelationAxis random_axis(Random& random, Index longest, Index most_taps) {
  CorrelationAxis axis;
  axis.in = random.integer(1, longest);
  axis.taps = random.integer(1, most_taps);
  axis.stride = random.integer(1, 3);
  axis.dilation = random.integer(1, 3);
  axis.before = random.integer(-2, axis.span() + 2);
  axis.out = random.integer(1, axis.in / axis.stride + 3);
  return axis;
}

Case random_case(Random& random) {
  Case c;
  c.batch = random.integer(1, 2);
  c.groups = random.integer(1, 3);
  c.outputs = random.integer(1, 5);
  c.inputs = random.integer(1, 3);
  c.shared = random.uniform() < 0.3;
  c.y_axis = random_axis(random, 20, 6);
  c.x_axis = random_axis(random, 40, 9);
  c.extension = {test::kModes[static_cast<std::size_t>(random.integer(0, 4))], 0.7};
  return c;
}

CorrelationAxis same(Index n, Index taps) { return {n, n, taps, taps / 2, 1, 1}; }

// More kernels, taps and pixels than a call of the BLAS takes; one kernel; signals.
std::vector<Case> large_cases() {
  return {{1, 1, 70, 5, false, same(9, 5), same(40, 7), {}},
          {1, 1, 3, 9, false, same(3, 13), same(530, 11), {}},
          {1, 1, 1, 1, false, same(20, 33), same(700, 35), {}},
          {1, 1, 66, 66, false, same(7, 3), same(9, 3), {}},
          {2, 4, 1, 1, true, same(40, 9), same(30, 9), {}},
          {2, 1, 4, 2, false, {}, same(1100, 30), {}},
          {1, 1, 2, 1, false, same(1200, 3), same(1, 1), {}},
          {1, 1, 2, 1, false, same(6, 32), same(50, 32), {}}};
}

template <class T>
double largest(const Image<T>& image) {
  double most = 0.0;
  for (Index i = 0; i < image.elements(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(image.data()[i])));
  }
  return most;
}

// max |a - b|, NaN counts as infinite.
template <class A>
double gap(const Image<A>& a, const Image<double>& b) {
  return test::distance(a, b) * std::max(1.0, largest(b));
}

// The largest output that these kernels can make of an image of size 1.
template <class T>
double gain(const Image<T>& kernels) {
  double most = 0.0;
  const Index bank = kernels.shape()[2] * kernels.shape()[3] * kernels.shape()[4];
  for (Index k = 0; k < kernels.elements(); k += bank) {
    double sum = 0.0;
    for (Index i = k; i < k + bank; ++i) sum += std::abs(static_cast<double>(kernels.data()[i]));
    most = std::max(most, sum);
  }
  return most;
}

template <class T>
void expect_reference(const Case& c) {
  constexpr double kTolerance = sizeof(T) == 8 ? 1e-14 : 1e-6;
  const auto x = test::random_image<T>(c.x(), 1);
  const auto kernels = test::random_image<T>(c.kernels(), 2);
  auto out = test::constant_image<T>(c.out(), NAN);
  const Correlation<T> job = job_of<T>(c, x, kernels, out);
  detail::correlate_gemm(job);
  EXPECT_LT(gap(out, test::correlate_reference(job)), kTolerance * gain(kernels) * largest(x))
      << c.text();
  const auto u = test::random_image<T>(c.out(), 3);
  auto grad = test::constant_image<double>(c.kernels(), NAN);
  const KernelGradient<T> gradient{job, u, grad};
  detail::kernel_gradient_gemm(gradient);
  const double terms = static_cast<double>(c.batch * c.y_axis.out * c.x_axis.out) *
                       static_cast<double>(c.shared ? c.groups : 1);
  EXPECT_LT(gap(grad, test::kernel_gradient_reference(gradient)),
            kTolerance * largest(u) * largest(x) * terms)
      << c.text();
}

template <class T>
class Gemm : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

TYPED_TEST(Gemm, MatchesTheReferenceOverRandomShapes) {
  Random random(3);
  for (int trial = 0; trial < 200; ++trial) expect_reference<TypeParam>(random_case(random));
}

TYPED_TEST(Gemm, MatchesTheReferenceOverManyPanels) {
  for (const Case& c : large_cases()) expect_reference<TypeParam>(c);
}

TYPED_TEST(Gemm, ReadsAndWritesViewsOfAnyStrides) {
  using T = TypeParam;
  const Case c{2, 1, 3, 2, false, same(13, 4), same(17, 3), {}};
  const auto kernels = test::random_image<T>(c.kernels(), 2);
  const auto x = test::random_image<T>(c.x(), 1);
  Image<T> out(c.out());
  detail::correlate_gemm(job_of<T>(c, x, kernels, out));
  // Stored as (W, C, H, N), the image upside down.
  Image<T> x_store({17, 2, 13, 2});
  View<T> x_view(x_store.data() + 12 * 2, c.x(), {1, 26, -2, 52});
  copy<T>(x, x_view);
  Image<T> out_store({17, 3, 13, 2});
  View<T> out_view(out_store.data(), c.out(), {1, 26, 2, 78});
  detail::correlate_gemm(job_of<T>(c, x_view, kernels, out_view));
  EXPECT_TRUE(test::same_bits(Image<T>(View<const T>(out_view)), out));
  Image<double> grad(c.kernels());
  Image<double> other(c.kernels());
  detail::kernel_gradient_gemm<T>({job_of<T>(c, x, kernels, out), out, grad});
  detail::kernel_gradient_gemm<T>({job_of<T>(c, x_view, kernels, out_view), out_view, other});
  EXPECT_TRUE(test::same_bits(grad, other));
}

TYPED_TEST(Gemm, ThreadsDoNotChangeABit) {
  using T = TypeParam;
  for (const Case& c : {Case{2, 1, 8, 3, false, same(120, 7), same(300, 7), {}},
                        Case{2, 3, 1, 1, true, same(120, 9), same(300, 9), {}}}) {
    const auto x = test::random_image<T>(c.x(), 1);
    const auto kernels = test::random_image<T>(c.kernels(), 2);
    Image<T> one(c.out());
    Image<double> grad(c.kernels());
    detail::correlate_gemm(job_of<T>(c, x, kernels, one, 1));
    detail::kernel_gradient_gemm<T>({job_of<T>(c, x, kernels, one, 1), one, grad});
    for (int threads : {2, 5}) {
      Image<T> out(c.out());
      Image<double> other(c.kernels());
      detail::correlate_gemm(job_of<T>(c, x, kernels, out, threads));
      detail::kernel_gradient_gemm<T>({job_of<T>(c, x, kernels, one, threads), one, other});
      EXPECT_TRUE(test::same_bits(out, one)) << c.text();
      EXPECT_TRUE(test::same_bits(other, grad)) << c.text();
    }
  }
}

TEST(GemmGradient, IsTheAdjointInTheKernels) {
  Random random(4);
  for (int trial = 0; trial < 60; ++trial) {
    Case c = random_case(random);
    SCOPED_TRACE(c.text());
    const auto x = test::random_image<double>(c.x(), 1);
    test::expect_adjoint<double>(
        c.kernels(), c.out(),
        [&](const Image<double>& kernels) {
          Image<double> out(c.out());
          detail::correlate_gemm(job_of<double>(c, x, kernels, out));
          return out;
        },
        [&](const Image<double>& u) {
          Image<double> grad(c.kernels());
          Image<double> unused(c.kernels());
          detail::kernel_gradient_gemm<double>({job_of<double>(c, x, unused, {}), u, grad});
          return grad;
        });
  }
}

// Float sums over many pixels pass to double on the way.
TEST(GemmGradient, KeepsLongSumsAccurate) {
  const Case c{1, 1, 2, 1, false, same(700, 3), same(800, 3), {}};
  const auto x = test::random_field<float>(c.x(), 0.5, 1.5, 1);
  const auto u = test::random_field<float>(c.out(), 0.5, 1.5, 2);
  Image<float> unused(c.kernels());
  Image<double> grad(c.kernels());
  const KernelGradient<float> gradient{job_of<float>(c, x, unused, {}), u, grad};
  detail::kernel_gradient_gemm(gradient);
  const auto expected = test::kernel_gradient_reference(gradient);
  for (Index i = 0; i < grad.elements(); ++i) {
    EXPECT_NEAR(grad.data()[i] / expected.data()[i], 1.0, 1e-6);
  }
}

// The work of a call, and so the limit below which OpenBLAS keeps it on the calling thread.
TEST(GemmPanels, StayBelowTheLimits) {
  Random random(5);
  for (int trial = 0; trial < 2000; ++trial) {
    const Index outputs = random.uniform() < 0.2 ? 1 : random.integer(1, 300);
    const Index taps = random.integer(1, random.uniform() < 0.5 ? 50 : 20000);
    const Index height = random.integer(1, 3000);
    const Index width = random.integer(1, 3000);
    const detail::GemmPanels panels = detail::gemm_panels(outputs, taps, height, width);
    const Index pixels = panels.height * panels.width;
    EXPECT_LE(panels.outputs * panels.taps * pixels,
              outputs == 1 ? detail::kGemvLimit : detail::kGemmLimit);
    for (const auto& [part, whole] :
         {std::pair(panels.outputs, outputs), std::pair(panels.taps, taps),
          std::pair(panels.height, height), std::pair(panels.width, width)}) {
      EXPECT_TRUE(part >= 1 && part <= whole) << part << " of " << whole;
    }
    EXPECT_LE(panels.taps * pixels, 64 * 512) << "panels must fit the cache";
    const detail::GemmCost cost = detail::gemm_cost(2, outputs, taps, height, width);
    EXPECT_EQ(cost.packed, 2.0 * static_cast<double>(taps * height * width));
    EXPECT_EQ(cost.multiply_adds, cost.packed * static_cast<double>(outputs));
    EXPECT_GE(cost.calls * static_cast<double>(panels.outputs * panels.taps * pixels),
              cost.multiply_adds);
  }
}

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// With one thread allowed, no other thread of the process works: OpenBLAS starts none of its own.
TEST(GemmThreads, OneThreadIsOneThread) {
  const std::vector<Case> cases{{1, 1, 8, 1, false, same(512, 7), same(512, 7), {}},
                                {1, 1, 32, 32, false, same(64, 3), same(128, 3), {}},
                                {1, 1, 1, 1, false, same(512, 9), same(512, 9), {}}};
  for (const Case& c : cases) {
    const auto x = test::random_image<float>(c.x(), 1);
    const auto kernels = test::random_image<float>(c.kernels(), 2);
    Image<float> out(c.out());
    Image<double> grad(c.kernels());
    const Correlation<float> job = job_of<float>(c, x, kernels, out, 1);
    // Threads of earlier tests may still be on their way to sleep: the best of a few trials counts.
    double others = 1.0;
    for (int trial = 0; trial < 5 && others > 0.02; ++trial) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const double process = seconds(CLOCK_PROCESS_CPUTIME_ID);
      const double thread = seconds(CLOCK_THREAD_CPUTIME_ID);
      detail::correlate_gemm(job);
      detail::kernel_gradient_gemm<float>({job, out, grad});
      const double own = seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
      others = (seconds(CLOCK_PROCESS_CPUTIME_ID) - process - own) / own;
    }
    EXPECT_LE(others, 0.02) << c.text();
  }
}

}  // namespace
}  // namespace blurfield
