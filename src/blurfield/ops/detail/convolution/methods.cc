// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/methods.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/convolution/cost_model.h"
#include "blurfield/ops/detail/convolution/separable.h"

namespace blurfield::detail {
namespace {

constexpr std::size_t kDirect = 0;
constexpr std::size_t kSeparable = 1;
constexpr std::size_t kGemm = 2;
constexpr std::size_t kFft = 3;

// The largest rank of all kernels, or most + 1 if one exceeds `most`.
template <class T>
Index largest_rank(const Correlation<T>& job, Index most) {
  const Index kh = job.y_axis.taps;
  const Index kw = job.x_axis.taps;
  const Index groups = job.kernels.stride[0] == 0 ? 1 : job.groups();
  const Index count = groups * job.outputs() * job.inputs();
  Index rank = 0;
  for (Index i = 0; i < count && rank <= most; ++i) {
    rank = std::max(rank, rank_up_to(job.kernels.data + i * kh * kw, kh, kw, most));
  }
  return rank;
}

// The greatest rank at which separable would take less than `seconds`.
template <class T>
Index affordable_rank(const Correlation<T>& job, double seconds) {
  const Index kh = job.y_axis.taps;
  const Index kw = job.x_axis.taps;
  if (kh + kw >= kh * kw) return 0;
  const double one = predicted_seconds(job, kSeparable, 1);
  const double two = predicted_seconds(job, kSeparable, 2);
  if (one >= seconds) return 0;
  const double most = 1.0 + (seconds - one) / std::max(two - one, 1e-12);
  return static_cast<Index>(std::min(most, 1e6));
}

// Predicted for every method but separable, infinite for what cannot be the cheapest.
template <class T>
std::array<double, kMethods> full_rank_seconds(const Correlation<T>& job) {
  std::array<double, kMethods> seconds{};
  seconds.fill(std::numeric_limits<double>::infinity());
  seconds[kDirect] = predicted_seconds(job, kDirect);
  if (job.outputs() > 1) seconds[kGemm] = predicted_seconds(job, kGemm);
  if (std::min(seconds[kDirect], seconds[kGemm]) > least_fft_seconds(job)) {
    seconds[kFft] = predicted_seconds(job, kFft);
  }
  return seconds;
}

template <class T>
bool is_finite(const View<T>& out, int threads) {
  std::atomic<bool> finite{true};
  Execution quiet;
  quiet.threads = threads;
  const Index rows = out.height();
  constexpr Index kRows = 64;
  const Index blocks = (rows + kRows - 1) / kRows;
  parallel_for(out.batch() * out.channels() * blocks, quiet, [&](Index i) {
    const Index plane = i / blocks;
    const Index begin = i % blocks * kRows;
    for (Index y = begin; y < std::min(begin + kRows, rows); ++y) {
      const T* row = out.row(plane / out.channels(), plane % out.channels(), y);
      if (!all_finite<T>(row, out.width(), out.x_stride())) finite = false;
    }
  });
  return finite;
}

template <class T>
CorrelatePlan plan_without_rank(const Correlation<T>& job, ConvolutionMethod method) {
  CorrelatePlan plan;
  plan.method = method;
  plan.multiply_adds =
      static_cast<double>(job.x.batch() * job.groups() * job.outputs() * job.inputs()) *
      static_cast<double>(job.y_axis.out) * static_cast<double>(job.x_axis.out) *
      static_cast<double>(job.y_axis.taps) * static_cast<double>(job.x_axis.taps);
  if (method != ConvolutionMethod::automatic) return plan;
  plan.seconds = full_rank_seconds(job);
  const auto best = std::min_element(plan.seconds.begin(), plan.seconds.end());
  plan.method = static_cast<ConvolutionMethod>(best - plan.seconds.begin() + 1);
  const Index most = affordable_rank(job, *best);
  if (most == 0) return plan;
  const Index rank = largest_rank(job, most);
  if (rank > most) return plan;
  plan.seconds[kSeparable] = predicted_seconds(job, kSeparable, rank);
  plan.method = ConvolutionMethod::separable;
  return plan;
}

}  // namespace

template <class T>
CorrelatePlan choose_method(const Correlation<T>& job, ConvolutionMethod method) {
  CorrelatePlan plan = plan_without_rank(job, method);
  if (plan.method == ConvolutionMethod::separable) plan.rank = separable_rank(job);
  return plan;
}

template <class T>
Outcome run_correlation(const Correlation<T>& job, ConvolutionMethod method) {
  Outcome outcome{plan_without_rank(job, method)};
  switch (outcome.plan.method) {
    case ConvolutionMethod::separable:
      outcome.finite = correlate_separable(job, &outcome.plan.rank);
      break;
    case ConvolutionMethod::gemm:
      correlate_gemm(job);
      outcome.finite = is_finite(job.out, job.execution.threads);
      break;
    case ConvolutionMethod::fft:
      correlate_fft(job);
      outcome.finite = is_finite(job.out, job.execution.threads);
      break;
    default:
      outcome.finite = correlate_direct(job);
  }
  return outcome;
}

template <class T>
void run_kernel_gradient(const KernelGradient<T>& gradient, ConvolutionMethod method) {
  if (method == ConvolutionMethod::automatic) {
    // Its loops are those of the correlation.
    const auto seconds = full_rank_seconds(gradient.job);
    const auto best = std::min_element(seconds.begin(), seconds.end());
    method = static_cast<ConvolutionMethod>(best - seconds.begin() + 1);
  }
  switch (method) {
    case ConvolutionMethod::gemm:
      return kernel_gradient_gemm(gradient);
    case ConvolutionMethod::fft:
      return kernel_gradient_fft(gradient);
    default:
      return kernel_gradient_direct(gradient);
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                  \
  template CorrelatePlan choose_method(const Correlation<T>&, ConvolutionMethod); \
  template Outcome run_correlation(const Correlation<T>&, ConvolutionMethod);     \
  template void run_kernel_gradient(const KernelGradient<T>&, ConvolutionMethod)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
