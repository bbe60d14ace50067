// SPDX-License-Identifier: BSD-3-Clause
// Random images and distances between them.
#pragma once

#include <cmath>
#include <cstdint>

#include "blurfield/base/image.h"
#include "blurfield/base/random.h"

namespace blurfield::test {

// Standard normal pixels.
template <class T>
Image<T> random_image(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  Image<T> image(shape);
  for (Index i = 0; i < image.elements(); ++i) image.data()[i] = static_cast<T>(random.normal());
  return image;
}

// Pixels uniform in low..high.
template <class T>
Image<T> random_field(const Shape& shape, double low, double high, std::uint64_t seed) {
  Random random(seed);
  Image<T> image(shape);
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] = static_cast<T>(random.uniform(low, high));
  }
  return image;
}

template <class T>
Image<T> constant_image(const Shape& shape, double value) {
  Image<T> image(shape);
  std::fill_n(image.data(), image.elements(), static_cast<T>(value));
  return image;
}

template <class To, class From>
Image<To> converted(const Image<From>& from) {
  Image<To> to(from.shape());
  std::copy_n(from.data(), from.elements(), to.data());
  return to;
}

template <class T>
double inner(const Image<T>& a, const Image<T>& b) {
  require(a.shape() == b.shape(), "inner", "shapes differ");
  double sum = 0.0;
  for (Index i = 0; i < a.elements(); ++i) {
    sum += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
  }
  return sum;
}

template <class T>
double norm(const Image<T>& a) {
  return std::sqrt(inner(a, a));
}

// max |a - b| / max(1, max |b|); NaN counts as infinite.
template <class A, class B>
double distance(const Image<A>& a, const Image<B>& b) {
  require(a.shape() == b.shape(), "distance", "shapes ", a.shape().text(), " and ",
          b.shape().text());
  double largest = 1.0;
  double worst = 0.0;
  for (Index i = 0; i < a.elements(); ++i) {
    const auto value = static_cast<double>(b.data()[i]);
    const double gap = std::abs(static_cast<double>(a.data()[i]) - value);
    largest = std::max(largest, std::abs(value));
    worst = gap <= worst ? worst : (std::isnan(gap) ? INFINITY : gap);
  }
  return worst / largest;
}

template <class T>
bool same_bits(const Image<T>& a, const Image<T>& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.elements(), b.data());
}

}  // namespace blurfield::test
