// SPDX-License-Identifier: BSD-3-Clause
// Threaded work on flat vectors. Passes over memory are fused by writing what they do to element i
// as one function. Sums are double and the same for any number of threads.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "blurfield/base/parallel.h"

namespace blurfield::detail {

// Uninitialised scratch.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::size_t size)
      : data_(std::make_unique_for_overwrite<T[]>(size)), size_(size) {}
  std::span<T> span() const { return {data_.get(), size_}; }
  T* data() const { return data_.get(); }

 private:
  std::unique_ptr<T[]> data_;
  std::size_t size_;
};

// f(i) for each element.
template <class F>
void each(std::size_t size, int threads, const F& f) {
  parallel_slices(static_cast<Index>(size), threads, [&f](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) f(i);
  });
}

// Joins term(begin) ... term(end - 1), in four lanes that do not wait for each other.
template <class Term, class Join>
double fold(Index begin, Index end, const Term& term, const Join& join) {
  double lanes[4] = {};
  Index i = begin;
  for (; i + 4 <= end; i += 4) {
    for (int lane = 0; lane < 4; ++lane) lanes[lane] = join(lanes[lane], term(i + lane));
  }
  for (; i < end; ++i) lanes[0] = join(lanes[0], term(i));
  return join(join(lanes[0], lanes[1]), join(lanes[2], lanes[3]));
}

// The sum of term(i) over all elements.
template <class Term>
double sum(std::size_t size, int threads, const Term& term) {
  return parallel_sum(static_cast<Index>(size), threads, [&term](Index begin, Index end) {
    return fold(begin, end, term, [](double a, double b) { return a + b; });
  });
}

// The largest term(i) over all elements, at least 0; NaN if one is.
template <class Term>
double largest(std::size_t size, int threads, const Term& term) {
  const auto larger = [](double a, double b) { return a >= b || a != a ? a : b; };
  double result = 0.0;
  std::mutex mutex;
  parallel_slices(static_cast<Index>(size), threads, [&](Index begin, Index end) {
    const double part = fold(begin, end, term, larger);
    const std::lock_guard lock(mutex);
    result = larger(result, part);
  });
  return result;
}

template <class T>
double dot(std::span<const T> a, std::span<const T> b, int threads) {
  const T* p = a.data();
  const T* q = b.data();
  return sum(a.size(), threads,
             [=](Index i) { return static_cast<double>(p[i]) * static_cast<double>(q[i]); });
}

}  // namespace blurfield::detail
