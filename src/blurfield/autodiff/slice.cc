// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/slice.h"

#include "blurfield/autodiff/detail/map.h"

namespace blurfield {
namespace {

// The part of a view from `begin` on, of this shape; throws where it is not within.
template <class T>
View<T> part(const char* name, View<T> view, const Shape& begin, const Shape& shape) {
  bool fits = begin.rank() == view.rank() && shape.rank() == view.rank();
  for (int axis = 0; fits && axis < view.rank(); ++axis) {
    fits = begin[axis] >= 0 && shape[axis] >= 1 && begin[axis] + shape[axis] <= view.shape[axis];
    view.data += begin[axis] * view.stride[axis];
  }
  if (!fits) {
    require(false, name, "expected a part of ", view.shape.text(), ", got ", shape.text(), " from ",
            begin.text());
  }
  view.shape = shape;
  return view;
}

template <class T>
int checked_axis(const Var<T>& a, int axis, Index least) {
  const int own = axis < 0 ? axis + a.shape().rank() : axis;
  if (own < 0 || own >= a.shape().rank() || a.shape()[own] < least) {
    require(false, "difference", "expected an axis of at least ", least, " elements, got axis ",
            axis, " of ", a.shape().text());
  }
  return own;
}

// to = elements begin..end of the adjoint difference along the middle one of axes (.., n, inner).
template <class T>
void difference_adjoint_run(const T* from, Index n, Index inner, Index begin, Index end, T* to) {
  for (Index at = begin; at < end;) {
    const Index outer = at / ((n + 1) * inner);
    const Index i = at / inner % (n + 1);
    const Index k = at % inner;
    const T* const here = from + (outer * n + i) * inner + k;
    const T* const before = here - inner;
    if (i == 0 || i == n) {
      const Index count = std::min(end - at, inner - k);
      for (Index j = 0; j < count; ++j) to[at + j] = i == 0 ? -here[j] : before[j];
      at += count;
    } else {  // everything up to the last row is alike
      const Index count = std::min(end - at, (n - i) * inner - k);
      for (Index j = 0; j < count; ++j) to[at + j] = before[j] - here[j];
      at += count;
    }
  }
}

}  // namespace

namespace detail {

template <class T>
Var<T> packed(const Var<T>& a) {
  const Loop<1> loop = broadcast<T, 1>("packed", {a.value()});
  if (loop.repeats == 1 && loop.axes <= 1 && (loop.axes == 0 || loop.stride[0][0] == 1)) return a;
  auto out = allocate<T>(a.shape(), a.threads());
  copy<T>(a.value(), {pixels_of(*out), a.shape()});
  return {std::move(out), nullptr};
}

}  // namespace detail

template <class T>
Var<T> slice(const Var<T>& a, const Shape& begin, const Shape& end) {
  Shape shape = end;
  for (int axis = 0; axis < std::min(begin.rank(), end.rank()); ++axis) shape[axis] -= begin[axis];
  return record(detail::window(a, part("slice", a.value(), begin, shape)), std::array{edge(a)},
                [begin, from = a.shape()](const Pull<T, 1>& p) {
                  return std::array{embed(p.cotangent, begin, from)};
                });
}

template <class T>
Var<T> embed(const Var<T>& a, const Shape& begin, const Shape& shape) {
  Image<T> out(shape);
  copy<T>(a.value(), part("embed", out.view(), begin, a.shape()));
  return record(Var<T>(std::move(out), a.threads()), std::array{edge(a)},
                [begin, from = a.shape()](const Pull<T, 1>& p) {
                  Shape end = from;
                  for (int axis = 0; axis < from.rank(); ++axis) end[axis] += begin[axis];
                  return std::array{slice(p.cotangent, begin, end)};
                });
}

template <class T>
Var<T> difference(const Var<T>& a, int axis) {
  axis = checked_axis(a, axis, 2);
  Shape shape = a.shape();
  --shape[axis];
  Shape begin = shape;
  for (int other = 0; other < shape.rank(); ++other) begin[other] = other == axis ? 1 : 0;
  const auto next = detail::window(a, part("difference", a.value(), begin, shape));
  begin[axis] = 0;
  const auto here = detail::window(a, part("difference", a.value(), begin, shape));
  return record(
      detail::map<T, 2>("difference", std::minus<>(), {next, here}), std::array{edge(a)},
      [axis](const Pull<T, 1>& p) { return std::array{difference_adjoint(p.cotangent, axis)}; });
}

template <class T>
Var<T> difference_adjoint(const Var<T>& a, int axis) {
  axis = checked_axis(a, axis, 1);
  const Var<T> from = detail::packed(constant(a));
  const Index n = a.shape()[axis];
  Index inner = 1;
  for (int after = axis + 1; after < a.shape().rank(); ++after) inner *= a.shape()[after];
  Shape shape = a.shape();
  ++shape[axis];
  auto out = detail::allocate<T>(shape, a.threads());
  T* const to = detail::pixels_of(*out);
  const auto body = [&](Index begin, Index end) {
    difference_adjoint_run(from.value().data, n, inner, begin, end, to);
  };
  parallel_slices(shape.elements(), a.threads(), std::ref(body));
  return record(Var<T>(std::move(out), nullptr), std::array{edge(a)},
                [axis](const Pull<T, 1>& p) { return std::array{difference(p.cotangent, axis)}; });
}

template <class T>
Var<T> reshape(const Var<T>& a, const Shape& shape) {
  if (shape == a.shape()) return a;
  require(shape.elements() == a.shape().elements(), "reshape", "expected ", a.shape().elements(),
          " elements, got shape ", shape.text());
  const Var<T> plain = detail::packed(constant(a));
  return record(
      detail::window(plain, {plain.value().data, shape}), std::array{edge(a)},
      [from = a.shape()](const Pull<T, 1>& p) { return std::array{reshape(p.cotangent, from)}; });
}

#define BLURFIELD_INSTANTIATE(T)                                    \
  template Var<T> detail::packed(const Var<T>&);                    \
  template Var<T> slice(const Var<T>&, const Shape&, const Shape&); \
  template Var<T> embed(const Var<T>&, const Shape&, const Shape&); \
  template Var<T> difference(const Var<T>&, int);                   \
  template Var<T> difference_adjoint(const Var<T>&, int);           \
  template Var<T> reshape(const Var<T>&, const Shape&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);

}  // namespace blurfield
