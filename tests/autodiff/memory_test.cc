// SPDX-License-Identifier: BSD-3-Clause
// How much memory a sweep holds, and that graphs of any depth are walked and freed without
// recursion.
#include <atomic>
#include <cstdlib>
#include <new>

#include "blurfield/autodiff/record.h"
#include "tests/support/autodiff.h"

namespace {
std::atomic<std::ptrdiff_t> live_bytes{0};
std::atomic<std::ptrdiff_t> peak_bytes{0};
constexpr std::size_t kHeader = 64;
}  // namespace

// Pixels alone are allocated with an alignment: these count them.
void* operator new(std::size_t size, std::align_val_t alignment) {
  const std::size_t whole = (size + 2 * kHeader - 1) / kHeader * kHeader;
  auto* block = static_cast<char*>(std::aligned_alloc(static_cast<std::size_t>(alignment), whole));
  if (!block) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(block) = size;
  live_bytes += static_cast<std::ptrdiff_t>(size);
  if (live_bytes > peak_bytes) peak_bytes = live_bytes.load();
  return block + kHeader;
}
void operator delete(void* pixels, std::align_val_t) noexcept {
  if (!pixels) return;
  char* block = static_cast<char*>(pixels) - kHeader;
  live_bytes -= static_cast<std::ptrdiff_t>(*reinterpret_cast<std::size_t*>(block));
  std::free(block);
}
void operator delete(void* pixels, std::size_t, std::align_val_t alignment) noexcept {
  operator delete(pixels, alignment);
}

namespace blurfield::test {
namespace {

constexpr Index kSide = 100;
constexpr std::ptrdiff_t kArray = kSide * kSide * sizeof(double);

// The identity, which notes how many arrays there are when the sweep passes it.
Var<double> probe(const Var<double>& a, double* arrays) {
  return record(constant(a), std::array{edge(a)}, [arrays](const Pull<double, 1>& p) {
    *arrays = static_cast<double>(live_bytes) / kArray;
    return std::array{std::move(p.cotangent)};
  });
}

TEST(Memory, IsFreedAsTheSweepPasses) {
  const auto x = random_field<double>({kSide, kSide}, 0.1, 0.2, 1);
  const double before = static_cast<double>(live_bytes) / kArray;
  std::array<double, 3> arrays{};
  const auto f = [&](const Var<double>& a) {
    Var<double> y = probe(a, arrays.data());
    for (int i = 0; i < 20; ++i) y = exp(0.1 * y);
    y = probe(y, &arrays[1]);
    for (int i = 0; i < 20; ++i) y = exp(0.1 * y);
    Var<double> total = sum(y);
    peak_bytes = live_bytes.load();
    return probe(total, &arrays[2]);
  };
  grad(f, x);
  const double peak = static_cast<double>(peak_bytes) / kArray - before;
  EXPECT_NEAR(arrays[2] - before, 40, 0.5);  // each exp keeps its result, nothing else does
  EXPECT_NEAR(arrays[1] - before, 21, 0.5);  // the first half and the cotangent
  EXPECT_NEAR(arrays[0] - before, 1, 0.5);   // the cotangent
  EXPECT_LT(peak, 42.5);
  EXPECT_EQ(static_cast<double>(live_bytes) / kArray, before);
}

TEST(Memory, ServesAgainWhereItsOwnerIsGone) {
  const Var<double> x(random_image<double>({kSide, kSide}, 1));
  const std::ptrdiff_t before = live_bytes;
  peak_bytes = before;
  const Var<double> y = square(exp(-x * 2 + 1) - 3) / 2;
  EXPECT_EQ(peak_bytes - before, kArray);
  EXPECT_EQ(y.shape(), x.shape());
}

TEST(Memory, OfASumIsNeverSpread) {
  const auto x = random_image<double>({kSide, kSide}, 1);
  const std::ptrdiff_t before = live_bytes;
  peak_bytes = before;
  const auto gradient = grad([](const auto& a) { return 0.5 * sum(square(a)); }, x);
  EXPECT_EQ(peak_bytes - before, kArray);  // the square, then the gradient
  EXPECT_TRUE(same_bits(gradient[0], x));
}

TEST(LongChains, NeitherOverflowNorLeak) {
  constexpr int kLength = 100000;
  const auto x = constant_image<double>({2}, 0.5);
  const std::ptrdiff_t before = live_bytes;
  std::weak_ptr<VarNode<double>> middle;
  const auto f = [&](const auto& a) {
    auto y = a;
    for (int i = 0; i < kLength; ++i) {
      y = y * 1.00001;
      if (i == kLength / 2) middle = y.node();
    }
    return dot(y, y);
  };
  const double factor = std::pow(1.00001, 2 * kLength);
  EXPECT_NEAR(grad(f, x)[0].data()[0], factor, 1e-9);
  EXPECT_TRUE(middle.expired());
  EXPECT_NEAR(hvp(f, x, x)[0].data()[1], factor, 1e-9);
  EXPECT_TRUE(middle.expired());
  EXPECT_NEAR(jvp(f, x, x).data()[0], factor, 1e-9);
  {  // dropped without a sweep
    const Var<double> y = f(input(borrow(x)));
    EXPECT_FALSE(middle.expired());
  }
  EXPECT_TRUE(middle.expired());
  EXPECT_EQ(live_bytes, before);
}

TEST(Errors, LeaveNothingBehind) {
  const auto x = random_image<double>({kSide, kSide}, 1);
  const std::ptrdiff_t before = live_bytes;
  const auto failing = [](const auto& a) {
    return record(constant(sum(exp(a))), std::array{a}, [](const Pull<double, 1>& p) {
      require(p.parents.empty(), "failing", "no derivative");
      return std::array{p.cotangent};
    });
  };
  EXPECT_THROW(grad(failing, x), Error);
  EXPECT_EQ(live_bytes, before);
}

}  // namespace
}  // namespace blurfield::test
