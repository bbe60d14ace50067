// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/fft/plane_fft.h"

#include <gtest/gtest.h>

#include <numbers>

#include "tests/support/images.h"

namespace blurfield {
namespace {

template <class T>
class PlaneFft : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PlaneFft, Types);

// Two random planes as one complex one.
template <class T>
Image<std::complex<T>> random_plane(Index rows, Index columns) {
  const Image<T> parts = test::random_image<T>({2, rows, columns}, 9);
  Image<std::complex<T>> plane({rows, columns});
  for (Index i = 0; i < plane.elements(); ++i) {
    plane.data()[i] = {parts.data()[i], parts.data()[plane.elements() + i]};
  }
  return plane;
}

template <class T>
Image<std::complex<T>> spectrum_of(const fft::PlaneFft<T>& fft, const Image<std::complex<T>>& plane,
                                   int threads = 0) {
  Image<std::complex<T>> spectrum = fft.spectrum();
  fft.forward(
      [&](Index y, std::complex<T>* row) {
        std::copy_n(plane.data() + y * fft.columns(), fft.columns(), row);
      },
      spectrum.data(), {threads, {}});
  return spectrum;
}

TYPED_TEST(PlaneFft, IsTheDefinition) {
  using T = TypeParam;
  for (const auto& [rows, columns] : {std::pair<Index, Index>{1, 1}, {1, 13}, {17, 1}, {9, 22}}) {
    const fft::PlaneFft<T> fft(rows, columns);
    EXPECT_EQ(fft.rows(), rows);
    EXPECT_EQ(fft.columns(), columns);
    const auto plane = random_plane<T>(rows, columns);
    const auto spectrum = spectrum_of(fft, plane);
    for (Index ky = 0; ky < rows; ++ky) {
      for (Index kx = 0; kx < columns; ++kx) {
        std::complex<double> expected{};
        for (Index y = 0; y < rows; ++y) {
          for (Index x = 0; x < columns; ++x) {
            const double turn = static_cast<double>(ky * y) / static_cast<double>(rows) +
                                static_cast<double>(kx * x) / static_cast<double>(columns);
            expected += std::complex<double>(plane.data()[y * columns + x]) *
                        std::polar(1.0, -2 * std::numbers::pi * turn);
          }
        }
        const std::complex<double> got(spectrum.data()[kx * fft.pitch() + ky]);
        EXPECT_LE(std::abs(got - expected), sizeof(T) == 8 ? 1e-12 : 1e-4) << ky << ", " << kx;
      }
    }
  }
}

TYPED_TEST(PlaneFft, IsUndoneByItsInverse) {
  using T = TypeParam;
  const fft::PlaneFft<T> fft(130, 75);
  const auto plane = random_plane<T>(130, 75);
  for (int threads : {1, 2, 5}) {
    auto spectrum = spectrum_of(fft, plane, threads);
    Image<std::complex<T>> back(plane.shape());
    fft.backward(spectrum.data(),
                 [&](Index y, const std::complex<T>* row) {
                   std::copy_n(row, fft.columns(), back.data() + y * fft.columns());
                 },
                 {threads, {}});
    for (Index i = 0; i < plane.elements(); ++i) {
      const auto got = back.data()[i] / static_cast<T>(plane.elements());
      EXPECT_LE(std::abs(got - plane.data()[i]), sizeof(T) == 8 ? 1e-14 : 4e-6) << i;
    }
  }
}

}  // namespace
}  // namespace blurfield
