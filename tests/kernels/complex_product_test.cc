// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/kernels/complex_product.h"

#include "tests/support/images.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

template <class T>
Image<std::complex<T>> random_numbers(Index count, std::uint64_t seed) {
  const auto parts = test::random_image<T>({count, 2}, seed);
  Image<std::complex<T>> numbers({count});
  for (Index i = 0; i < count; ++i) {
    numbers.data()[i] = {parts.data()[2 * i], parts.data()[2 * i + 1]};
  }
  return numbers;
}

template <class T>
double gap(std::complex<T> a, std::complex<double> b) {
  return std::abs(std::complex<double>(a) - b);
}

template <class T>
class ComplexProduct : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ComplexProduct, Types);

TYPED_TEST(ComplexProduct, SumsOnEverySimdTarget) {
  using T = TypeParam;
  test::for_each_target([] {
    for (Index count : {1, 2, 3, 4, 7, 8, 15, 16, 17, 33, 100}) {
      for (Index terms : {0, 1, 2, 5}) {
        const Index a_step = count + 1;
        const auto a = random_numbers<T>(6 * a_step, 1);
        const auto b = random_numbers<T>(6 * count, 2);
        const auto before = random_numbers<T>(count + 1, 3);
        Image<std::complex<T>> out(before.view());
        kernels::sum_products(a.data(), a_step, b.data(), count, terms, count, out.data());
        for (Index i = 0; i < count; ++i) {
          std::complex<double> sum = 0.0;
          for (Index t = 0; t < terms; ++t) {
            sum += std::complex<double>(a.data()[t * a_step + i]) *
                   std::complex<double>(b.data()[t * count + i]);
          }
          EXPECT_LE(gap(out.data()[i], sum), sizeof(T) == 4 ? 3e-6 : 3e-15);
        }
        EXPECT_EQ(out.data()[count], before.data()[count]) << "wrote beyond the end";
      }
    }
  });
}

TYPED_TEST(ComplexProduct, AddsConjugateProductsOnEverySimdTarget) {
  using T = TypeParam;
  test::for_each_target([] {
    for (Index count : {1, 2, 3, 4, 7, 8, 15, 16, 17, 33, 100}) {
      const auto a = random_numbers<T>(count, 1);
      const auto b = random_numbers<T>(count, 2);
      const auto before = random_numbers<T>(count + 1, 3);
      Image<std::complex<T>> out(before.view());
      kernels::add_conjugate_product(a.data(), b.data(), count, out.data());
      for (Index i = 0; i < count; ++i) {
        const std::complex<double> sum =
            std::complex<double>(before.data()[i]) +
            std::complex<double>(a.data()[i]) * std::conj(std::complex<double>(b.data()[i]));
        EXPECT_LE(gap(out.data()[i], sum), sizeof(T) == 4 ? 3e-6 : 3e-15);
      }
      EXPECT_EQ(out.data()[count], before.data()[count]) << "wrote beyond the end";
    }
  });
}

}  // namespace
}  // namespace blurfield
