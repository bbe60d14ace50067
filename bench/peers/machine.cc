// SPDX-License-Identifier: BSD-3-Clause
#include "bench/peers/machine.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>

#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peers/machine.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace blurfield::bench {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Runs `steps` rounds of twelve independent chains: more than the latency of two FMA units hides.
// Returns the flops done; `sink` keeps the compiler from leaving them out.
double multiply_add(int steps, float* sink) {
  const hn::ScalableTag<float> d;
  const auto scale = hn::Set(d, sink[0]);
  const auto shift = hn::Set(d, sink[1]);
  // Unequal starts, or the compiler would see one chain where twelve are meant.
  auto a0 = hn::Iota(d, 0), a1 = hn::Iota(d, 1), a2 = hn::Iota(d, 2), a3 = hn::Iota(d, 3);
  auto a4 = hn::Iota(d, 4), a5 = hn::Iota(d, 5), a6 = hn::Iota(d, 6), a7 = hn::Iota(d, 7);
  auto a8 = hn::Iota(d, 8), a9 = hn::Iota(d, 9), a10 = hn::Iota(d, 10), a11 = hn::Iota(d, 11);
  for (int i = 0; i < steps; ++i) {
    a0 = hn::MulAdd(a0, scale, shift);
    a1 = hn::MulAdd(a1, scale, shift);
    a2 = hn::MulAdd(a2, scale, shift);
    a3 = hn::MulAdd(a3, scale, shift);
    a4 = hn::MulAdd(a4, scale, shift);
    a5 = hn::MulAdd(a5, scale, shift);
    a6 = hn::MulAdd(a6, scale, shift);
    a7 = hn::MulAdd(a7, scale, shift);
    a8 = hn::MulAdd(a8, scale, shift);
    a9 = hn::MulAdd(a9, scale, shift);
    a10 = hn::MulAdd(a10, scale, shift);
    a11 = hn::MulAdd(a11, scale, shift);
  }
  const auto sum = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
  sink[2] = hn::GetLane(hn::SumOfLanes(d, sum));
  return 2.0 * 12.0 * static_cast<double>(steps) * static_cast<double>(hn::Lanes(d));
}

// Both arrays 64-byte aligned, `count` a multiple of 16.
void stream(const float* from, Index count, float* to) {
  const hn::CappedTag<float, 16> d;
  const auto lanes = static_cast<Index>(hn::Lanes(d));
  for (Index i = 0; i < count; i += lanes) hn::Stream(hn::Load(d, from + i), d, to + i);
  hwy::FlushStream();
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace blurfield::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blurfield::bench {
HWY_EXPORT(multiply_add);
HWY_EXPORT(stream);

double fma_peak() {
  constexpr int kSteps = 2'000'000;
  volatile float start[] = {0.5F, 1.0F};  // not known to the compiler
  float sink[] = {start[0], start[1], 0.0F};
  double best = 0.0;
  for (int run = 0; run < 20; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    const double flops = HWY_DYNAMIC_DISPATCH(multiply_add)(kSteps, sink);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    best = std::max(best, flops / spent.count() * 1e-9);
  }
  return best;
}

double copy_seconds(Index count, int threads) {
  constexpr Index kAligned = 16;  // floats
  const Index part = (count / threads + kAligned - 1) / kAligned * kAligned;
  const Image<float> from({part * threads});
  Image<float> to(from.shape());
  Execution execution;
  execution.threads = threads;
  double best = std::numeric_limits<double>::infinity();
  for (const bool streamed : {false, true}) {
    std::array<double, 31> seconds{};
    for (double& time : seconds) {
      const auto begin = std::chrono::steady_clock::now();
      parallel_for(threads, execution, [&](Index i) {
        const float* source = from.data() + i * part;
        float* target = to.data() + i * part;
        if (streamed) {
          HWY_DYNAMIC_DISPATCH(stream)(source, part, target);
        } else {
          std::memcpy(target, source, static_cast<std::size_t>(part) * sizeof(float));
        }
      });
      time = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    std::sort(seconds.begin(), seconds.end());
    best = std::min(best, seconds[seconds.size() / 2]);
  }
  return best;
}

std::string simd_target() {
  const auto supported = static_cast<std::uint32_t>(hwy::SupportedTargets()) & HWY_TARGETS;
  return hwy::TargetName(supported & (~supported + 1U));
}

}  // namespace blurfield::bench
#endif
