// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/normal_equations.h"

#include <algorithm>
#include <cmath>

#include "blurfield/learn/detail/small_symmetric.h"

namespace blurfield::detail {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

template <class T>
NormalEquations<T>::NormalEquations(const BlurFit<T>& fit, int threads)
    : fit_(fit),
      local_(fit.local()),
      k_(local_.rank() > 0 ? local_[1] : 0),
      triangle_(k_ * (k_ + 1) / 2),
      global_(fit.global()),
      threads_(threads),
      gram_(at(global_ * global_)) {
  if (k_ == 0) return;
  plane_ = local_.elements() / (local_[0] * k_);
  Shape shape = local_;
  shape[1] = triangle_;
  blocks_ = Image<T>(shape);
  shape[1] = k_ * global_;
  if (global_ > 0) border_ = Image<T>(shape);
}

// f(field, pixel) for every pixel of every field, in parallel.
template <class T>
template <class F>
void NormalEquations<T>::each_pixel(const F& f) const {
  if (k_ == 0) return;
  parallel_slices(local_[0] * plane_, threads_, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) f(i / plane_, i % plane_);
  });
}

template <class T>
void NormalEquations<T>::build(std::span<const T> s, const View<const T>& weights) {
  const Shape image = fit_.image();
  const Index channels = image[1];
  std::vector<Image<T>> columns;
  Image<T> direction({1, fit_.size()});
  const std::span<T> e(direction.data(), at(fit_.size()));
  for (Index j = 0; j < k_ + global_; ++j) {
    std::ranges::fill(e, T{0});
    for (Index f = 0; j < k_ && f < local_[0]; ++f) {
      std::fill_n(e.begin() + (f * k_ + j) * plane_, plane_, T{1});
    }
    if (j >= k_) e[at(local_.elements() + j - k_)] = T{1};
    fit_.push(s, e, columns.emplace_back(image));
  }
  // sum over the images that share field f, and their channels, of M column_i column_j at p
  const auto product = [&](Index i, Index j, Index f, Index p) {
    const Index first = local_[0] == 1 ? 0 : f;
    const Index last = local_[0] == 1 ? image[0] : f + 1;
    T sum = 0;
    for (Index q = first * channels * plane_ + p; q < last * channels * plane_; q += plane_) {
      sum += weights.data[q] * columns[at(i)].data()[q] * columns[at(j)].data()[q];
    }
    return sum;
  };
  each_pixel([&](Index f, Index p) {
    T* block = blocks_.data() + f * triangle_ * plane_ + p;
    for (Index i = 0; i < k_; ++i) {
      for (Index j = 0; j <= i; ++j, block += plane_) *block = product(i, j, f, p);
    }
    for (Index i = 0; i < k_ * global_; ++i) {
      border_.data()[(f * k_ * global_ + i) * plane_ + p] =
          product(i / global_, k_ + i % global_, f, p);
    }
  });
  for (Index i = 0; i < global_ * global_; ++i) {
    const T* a = columns[at(k_ + i / global_)].data();
    const T* b = columns[at(k_ + i % global_)].data();
    gram_[at(i)] = parallel_sum(image.elements(), threads_, [&](Index begin, Index end) {
      double sum = 0.0;
      for (Index q = begin; q < end; ++q) {
        sum += static_cast<double>(weights.data[q]) * static_cast<double>(a[q]) *
               static_cast<double>(b[q]);
      }
      return sum;
    });
  }
}

template <class T>
void NormalEquations<T>::multiply(std::span<const T> v, std::span<T> product) const {
  const std::span<const T> globals = v.subspan(at(local_.elements()));
  parallel_slices(plane_, threads_, [&](Index begin, Index end) {
    for (Index f = 0; f < local_[0]; ++f) {
      const Index first = f * k_ * plane_;
      multiply_symmetric(k_, blocks_.data() + f * triangle_ * plane_ + begin,
                         v.data() + first + begin, product.data() + first + begin, plane_,
                         end - begin);
      for (Index i = 0; i < k_ * global_; ++i) {
        T* out = product.data() + first + i / global_ * plane_;
        const T* border = border_.data() + (f * k_ * global_ + i) * plane_;
        for (Index p = begin; p < end; ++p) out[p] += border[p] * globals[at(i % global_)];
      }
    }
  });
  for (Index g = 0; g < global_; ++g) {
    double sum = parallel_sum(local_.elements(), threads_, [&](Index begin, Index end) {
      double part = 0.0;
      for (Index i = begin; i < end; ++i) {
        const Index fk = i / plane_;  // field and channel
        part += static_cast<double>(border_.data()[(fk * global_ + g) * plane_ + i % plane_]) *
                static_cast<double>(v[at(i)]);
      }
      return part;
    });
    for (Index h = 0; h < global_; ++h) {
      sum += gram_[at(g * global_ + h)] * static_cast<double>(globals[at(h)]);
    }
    product[at(local_.elements() + g)] = static_cast<T>(sum);
  }
}

template <class T>
void NormalEquations<T>::diagonal(std::span<T> diagonal) const {
  each_pixel([&](Index f, Index p) {
    for (Index i = 0; i < k_; ++i) {
      diagonal[at((f * k_ + i) * plane_ + p)] =
          blocks_.data()[(f * triangle_ + i * (i + 3) / 2) * plane_ + p];
    }
  });
  for (Index g = 0; g < global_; ++g) {
    diagonal[at(local_.elements() + g)] = static_cast<T>(gram_[at(g * (global_ + 1))]);
  }
}

template class NormalEquations<float>;
template class NormalEquations<double>;

}  // namespace blurfield::detail
