// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/fft/row_fft.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numbers>
#include <thread>
#include <vector>

#include "blurfield/base/error.h"
#include "tests/support/images.h"

namespace blurfield {
namespace {

TEST(SmoothSize, IsTheLeastProductOfSmallPrimes) {
  EXPECT_EQ(fft::smooth_size(0), 1);
  EXPECT_EQ(fft::smooth_size(1), 1);
  EXPECT_EQ(fft::smooth_size(11), 12);
  EXPECT_EQ(fft::smooth_size(13), 14);
  EXPECT_EQ(fft::smooth_size(121), 125);
  EXPECT_EQ(fft::smooth_size(2047), 2048);
  EXPECT_EQ(fft::smooth_size(2049), 2058);
  for (Index n = 1; n < 3000; ++n) {
    const Index size = fft::smooth_size(n);
    EXPECT_GE(size, n);
    Index rest = size;
    for (Index prime : {2, 3, 5, 7}) {
      while (rest % prime == 0) rest /= prime;
    }
    EXPECT_EQ(rest, 1);
  }
}

template <class T>
class RowFft : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RowFft, Types);

// Rows of one wave each, so of one line in the spectrum.
template <class T>
void expect_lines(Index size) {
  const auto& fft = fft::RowFft<T>::get(size);
  EXPECT_EQ(fft.size(), size);
  EXPECT_GE(fft.pitch(), size);
  EXPECT_EQ(fft.pitch() * static_cast<Index>(sizeof(T)) % 32, 0);
  const Index rows = 11;
  Image<std::complex<T>> waves({rows, fft.pitch()});
  Image<std::complex<T>> spectra(waves.shape());
  Image<std::complex<T>> back(waves.shape());
  for (Index y = 0; y < rows; ++y) {
    for (Index x = 0; x < size; ++x) {
      const double turn = static_cast<double>(y * x % size) / static_cast<double>(size);
      waves.data()[y * fft.pitch() + x] =
          std::complex<T>(std::polar(1.0, 2.0 * std::numbers::pi * turn));
    }
  }
  fft.forward(waves.data(), rows, spectra.data());
  fft.backward(spectra.data(), rows, back.data());
  const auto n = static_cast<T>(size);
  double worst = 0.0;
  for (Index y = 0; y < rows; ++y) {
    for (Index x = 0; x < size; ++x) {
      const Index i = y * fft.pitch() + x;
      const std::complex<T> line = x == y % size ? n : T{0};
      worst = std::max(worst, static_cast<double>(std::abs(spectra.data()[i] - line) / n));
      worst = std::max(worst, static_cast<double>(std::abs(back.data()[i] / n - waves.data()[i])));
    }
  }
  EXPECT_LE(worst, sizeof(T) == 4 ? 5e-6 : 1e-14) << size;
}

TYPED_TEST(RowFft, FindsTheLinesOfWaves) {
  for (Index size : {1, 2, 3, 7, 8, 11, 30, 64, 125, 128, 240, 256, 1024, 2048}) {
    expect_lines<TypeParam>(size);
  }
}

TYPED_TEST(RowFft, IsPlannedOnceHoweverManyThreadsAsk) {
  using T = TypeParam;
  constexpr std::size_t kThreads = 8;
  std::vector<std::vector<const fft::RowFft<T>*>> found(kThreads);
  {
    std::atomic<std::size_t> waiting{kThreads};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        for (Index size = 400; size < 440; ++size) {
          found[i].push_back(&fft::RowFft<T>::get(size));
          expect_lines<T>(size);
        }
      });
    }
  }
  for (const auto& plans : found) EXPECT_EQ(plans, found[0]);
}

TEST(RowFftErrors, NameTheSize) {
  EXPECT_THROW(fft::RowFft<float>::get(0), Error);
  EXPECT_THROW(fft::RowFft<double>::get(Index{1} << 30), Error);
}

}  // namespace
}  // namespace blurfield
