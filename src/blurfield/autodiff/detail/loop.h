// SPDX-License-Identifier: BSD-3-Clause
// Loops over arrays of any strides that are broadcast to one shape.
#pragma once

#include <array>
#include <functional>

#include "blurfield/autodiff/record.h"
#include "blurfield/base/parallel.h"

namespace blurfield::detail {

// The axes of `operands` broadcast together, innermost first, merged where their strides allow.
// Axes along which no operand moves are left out: they repeat what the others give.
template <std::size_t N>
struct Loop {
  Shape shape;        // of all axes
  Shape stored;       // the same with extent 1 where a result would only repeat
  Index count = 1;    // elements of `stored`
  Index repeats = 1;  // elements of `shape` for each of those
  int axes = 0;
  std::array<Index, kMaxRank> extent;
  std::array<std::array<Index, N>, kMaxRank> stride;
};

template <class T, std::size_t N>
Loop<N> broadcast(const char* name, const std::array<View<const T>, N>& operands) {
  Loop<N> loop;
  for (const auto& operand : operands) {
    if (operand.rank() > loop.shape.rank()) loop.shape = operand.shape;
  }
  loop.stored = loop.shape;
  const int rank = loop.shape.rank();
  for (int axis = rank - 1; axis >= 0; --axis) {
    std::array<Index, N> step{};
    Index extent = 1;
    bool moves = false;
    for (std::size_t i = 0; i < N; ++i) {
      const int own = axis - rank + operands[i].rank();
      if (own < 0 || operands[i].shape[own] == 1) continue;
      const Index mine = operands[i].shape[own];
      if (extent != 1 && extent != mine) {
        require(false, name, "expected shapes that broadcast, got ", operands[0].shape.text(),
                " and ", operands[N - 1].shape.text());
      }
      extent = mine;
      step[i] = operands[i].stride[own];
      moves = moves || step[i] != 0;
    }
    loop.shape[axis] = extent;
    loop.stored[axis] = moves ? extent : std::min<Index>(extent, 1);
    if (!moves) {
      loop.repeats *= extent;
      continue;
    }
    loop.count *= extent;
    bool merges = loop.axes > 0;
    for (std::size_t i = 0; merges && i < N; ++i) {
      merges = step[i] == loop.stride[loop.axes - 1][i] * loop.extent[loop.axes - 1];
    }
    if (merges) {
      loop.extent[loop.axes - 1] *= extent;
    } else {
      loop.extent[loop.axes] = extent;
      loop.stride[loop.axes++] = step;
    }
  }
  return loop;
}

// run(first, count, offsets) for stretches of the innermost axis that cover elements begin..end.
template <std::size_t N, class Run>
void for_each_run(const Loop<N>& loop, Index begin, Index end, const Run& run) {
  const Index inner = loop.axes > 0 ? loop.extent[0] : 1;
  for (Index at = begin; at < end;) {
    std::array<Index, N> offset{};
    Index rest = at;
    for (int axis = 0; axis < loop.axes; ++axis) {
      const Index i = rest % loop.extent[axis];
      rest /= loop.extent[axis];
      for (std::size_t k = 0; k < N; ++k) offset[k] += i * loop.stride[axis][k];
    }
    const Index count = std::min(end - at, inner - at % inner);
    run(at, count, offset);
    at += count;
  }
}

// use(get), get(i) being element i of a stretch, for the strides that are worth a loop of their
// own. `out`, where it is the operand itself, lets the compiler see that.
template <class T, class Use>
void with_elements(const T* in, Index stride, const T* out, const Use& use) {
  if (in == out && stride == 1) {
    use([out](Index i) { return out[i]; });
  } else if (stride == 1) {
    use([in](Index i) { return in[i]; });
  } else if (stride == 0) {
    use([value = *in](Index) { return value; });
  } else {
    use([in, stride](Index i) { return in[i * stride]; });
  }
}

// A value to be written wholly.
template <class T>
std::shared_ptr<VarValue<T>> allocate(const Shape& shape, int threads) {
  auto value = std::make_shared<VarValue<T>>();
  value->threads = threads;
  if (shape.elements() != 1) value->pixels = Image<T>::uninitialised(shape);
  value->view = {shape.elements() == 1 ? &value->number : value->pixels.data(), shape};
  return value;
}
template <class T>
T* pixels_of(VarValue<T>& value) {
  return value.pixels.empty() ? &value.number : value.pixels.data();
}
// A window on a's pixels.
template <class T>
Var<T> window(const Var<T>& a, const View<const T>& view) {
  auto value = std::make_shared<VarValue<T>>();
  value->view = view;
  value->threads = a.threads();
  value->base = a.held()->base ? a.held()->base : a.held();
  return {std::move(value), nullptr};
}
// The same elements in row-major order without gaps or repetition.
template <class T>
Var<T> packed(const Var<T>& a);

}  // namespace blurfield::detail
