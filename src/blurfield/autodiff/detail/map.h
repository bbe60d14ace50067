// SPDX-License-Identifier: BSD-3-Clause
// Elementwise functions of values, without their derivatives.
#pragma once

#include "blurfield/autodiff/detail/loop.h"

namespace blurfield::detail {

// True if nobody else sees this value and it can hold the result of the loop in place.
template <class T, std::size_t N>
bool can_hold(const Var<T>& a, const Loop<N>& loop) {
  if (a.held().use_count() != 1 || loop.repeats != 1) return false;
  const VarValue<T>& value = *a.held();
  if (value.base || !(value.view.shape == loop.shape)) return false;
  return value.pixels.empty() ? value.view.data == &value.number && loop.shape.elements() == 1
                              : value.pixels.shape() == loop.shape;
}

// f(a...) of one or two operands, broadcast; takes the place of an operand that is given away.
template <class T, std::size_t N, class F>
Var<T> map(const char* name, const F& f, std::array<Var<T>, N> operands) {
  std::array<View<const T>, N> views;
  for (std::size_t i = 0; i < N; ++i) views[i] = operands[i].value();
  const Loop<N> loop = broadcast<T>(name, views);
  std::shared_ptr<VarValue<T>> out;
  const int threads = common_threads<T>(operands);
  for (std::size_t i = 0; i < N && !out; ++i) {
    if (can_hold(operands[i], loop)) out = operands[i].take_value();
  }
  if (!out) out = allocate<T>(loop.stored, threads);
  out->threads = threads;
  T* const to = pixels_of(*out);
  const auto body = [&](Index begin, Index end) {
    for_each_run(loop, begin, end, [&](Index at, Index count, const std::array<Index, N>& offset) {
      T* const run = to + at;
      const auto stride = [&](std::size_t i) { return loop.axes > 0 ? loop.stride[0][i] : 0; };
      with_elements(views[0].data + offset[0], stride(0), run, [&](const auto& a) {
        if constexpr (N == 1) {
          for (Index i = 0; i < count; ++i) run[i] = f(a(i));
        } else {
          with_elements(views[1].data + offset[1], stride(1), run, [&](const auto& b) {
            for (Index i = 0; i < count; ++i) run[i] = f(a(i), b(i));
          });
        }
      });
    });
  };
  parallel_slices(loop.count, threads, std::ref(body));
  if (loop.repeats != 1) {
    out->view.shape = loop.shape;
    for (int axis = 0; axis < loop.shape.rank(); ++axis) {
      if (loop.stored[axis] != loop.shape[axis]) out->view.stride[axis] = 0;
    }
  }
  return {std::move(out), nullptr};
}

template <class T, class F>
Var<T> map(const F& f, Var<T> a) {
  return map<T, 1>("", f, {std::move(a)});
}

}  // namespace blurfield::detail
