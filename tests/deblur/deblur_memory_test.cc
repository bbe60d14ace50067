// SPDX-License-Identifier: BSD-3-Clause
// How much memory deblurring holds.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/deblur/psf_operator.h"
#include "tests/support/images.h"

namespace {

std::atomic<std::ptrdiff_t> live_bytes{0};
std::atomic<std::ptrdiff_t> peak_bytes{0};
constexpr std::size_t kHeader = 64;

void* counted(std::size_t size) {
  const std::size_t whole = (size + 2 * kHeader - 1) / kHeader * kHeader;
  auto* block = static_cast<char*>(std::aligned_alloc(kHeader, whole));
  if (!block) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(block) = size;
  const std::ptrdiff_t now = live_bytes += static_cast<std::ptrdiff_t>(size);
  std::ptrdiff_t peak = peak_bytes;
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now)) {
  }
  return block + kHeader;
}
void uncounted(void* pointer) noexcept {
  if (!pointer) return;
  char* block = static_cast<char*>(pointer) - kHeader;
  live_bytes -= static_cast<std::ptrdiff_t>(*reinterpret_cast<std::size_t*>(block));
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (static_cast<std::size_t>(alignment) > kHeader) throw std::bad_alloc();
  return counted(size);
}
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* pointer) noexcept { uncounted(pointer); }
void operator delete[](void* pointer) noexcept { uncounted(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { uncounted(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { uncounted(pointer); }
void operator delete(void* pointer, std::align_val_t) noexcept { uncounted(pointer); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { uncounted(pointer); }

namespace blurfield {
namespace {

// The most that is held at once beyond the frame, in scenes.
double scenes_held(const DeblurOptions<float>& options, bool weighted) {
  const auto blur = psf_operator<float>({1, 1, 180, 176}, gaussian_psf(1.2));
  const auto y = test::random_field<float>(blur->frame(), 0.2, 0.8, 1);
  const auto weight = test::constant_image<float>(blur->frame(), 1.0);
  const std::ptrdiff_t before = live_bytes;
  peak_bytes = before;
  deblur<float>(*blur, y, options, weighted ? weight.view() : View<const float>{});
  return static_cast<double>(peak_bytes - before) /
         static_cast<double>(blur->scene().elements() * static_cast<Index>(sizeof(float)));
}

TEST(DeblurMemory, IsAsTheHeaderSays) {
  const auto expect_held = [](double scenes, DeblurMethod method, const auto& most) {
    SCOPED_TRACE(deblur_method_name(method));
    const bool closed = method == DeblurMethod::wiener || method == DeblurMethod::tikhonov;
    DeblurOptions<float> options;
    options.method = method;
    options.max_iterations = 4;
    options.threads = 1;
    if (method == DeblurMethod::primal_dual) options.prior.kind = Prior::hessian;
    // Less is held while lambda is sought than by the others' solvers.
    if (!closed && method != DeblurMethod::fista) options.lambda = 0.01;
    most(options);
    const double held = scenes_held(options, !closed);
    EXPECT_LE(held, scenes + 0.2);  // and a few rows
    EXPECT_GE(held, scenes - 1.0);
    if (method != DeblurMethod::lbfgs) return;
    EXPECT_LE(scenes_held(options, false), scenes - 1 + 0.3);
  };
  const auto nothing = [](auto&) {};
  const auto bound = [](auto& options) { options.lower = 0.0; };
  expect_held(7, DeblurMethod::wiener, nothing);
  expect_held(7, DeblurMethod::tikhonov, nothing);
  expect_held(8, DeblurMethod::richardson_lucy, nothing);
  expect_held(12, DeblurMethod::primal_dual, bound);
  expect_held(10, DeblurMethod::fista, bound);
  expect_held(12, DeblurMethod::lbfgs, bound);
  expect_held(13, DeblurMethod::newton_cg, nothing);
}

}  // namespace
}  // namespace blurfield
