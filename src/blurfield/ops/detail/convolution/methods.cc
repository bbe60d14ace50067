// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/methods.h"

#include <algorithm>
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
// Above any rank: every kernel is looked at to the end.
constexpr Index kAnyRank = std::numeric_limits<Index>::max();

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
bool is_finite(const View<T>& out) {
  bool finite = true;
  for (Index n = 0; n < out.batch(); ++n) {
    for (Index c = 0; c < out.channels(); ++c) {
      for (Index y = 0; y < out.height(); ++y) {
        finite = all_finite<T>(out.row(n, c, y), out.width(), out.x_stride()) && finite;
      }
    }
  }
  return finite;
}

}  // namespace

template <class T>
CorrelatePlan choose_method(const Correlation<T>& job, ConvolutionMethod method) {
  CorrelatePlan plan;
  plan.method = method;
  plan.multiply_adds =
      static_cast<double>(job.x.batch() * job.groups() * job.outputs() * job.inputs()) *
      static_cast<double>(job.y_axis.out) * static_cast<double>(job.x_axis.out) *
      static_cast<double>(job.y_axis.taps) * static_cast<double>(job.x_axis.taps);
  if (method == ConvolutionMethod::separable) {
    plan.rank = static_cast<int>(largest_rank(job, kAnyRank - 1));
  }
  if (method != ConvolutionMethod::automatic) return plan;

  plan.seconds = full_rank_seconds(job);
  const auto best = std::min_element(plan.seconds.begin(), plan.seconds.end());
  plan.method = static_cast<ConvolutionMethod>(best - plan.seconds.begin() + 1);
  const Index most = affordable_rank(job, *best);
  if (most == 0) return plan;
  const Index rank = largest_rank(job, most);
  if (rank > most) return plan;
  plan.rank = static_cast<int>(rank);
  plan.seconds[kSeparable] = predicted_seconds(job, kSeparable, rank);
  plan.method = ConvolutionMethod::separable;
  return plan;
}

template <class T>
bool run_correlation(const Correlation<T>& job, ConvolutionMethod method) {
  if (method == ConvolutionMethod::automatic) method = choose_method(job, method).method;
  switch (method) {
    case ConvolutionMethod::separable:
      return correlate_separable(job);
    case ConvolutionMethod::gemm:
      correlate_gemm(job);
      return is_finite(job.out);
    case ConvolutionMethod::fft:
      correlate_fft(job);
      return is_finite(job.out);
    default:
      return correlate_direct(job);
  }
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
  template bool run_correlation(const Correlation<T>&, ConvolutionMethod);        \
  template void run_kernel_gradient(const KernelGradient<T>&, ConvolutionMethod)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
