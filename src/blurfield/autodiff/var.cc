// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/var.h"

#include "blurfield/autodiff/detail/map.h"
#include "blurfield/autodiff/reduce.h"

namespace blurfield {

template <class T>
Var<T>::Var(T number, std::nullptr_t) : value_(detail::allocate<T>({1}, 0)) {
  value_->number = number;
}

template <class T>
Var<T>::Var(Image<T>&& pixels, int threads) : value_(std::make_shared<VarValue<T>>()) {
  require(pixels.shape().rank() > 0, "Var", "expected an image, got none");
  value_->pixels = std::move(pixels);
  value_->view = value_->pixels.view();
  value_->threads = threads;
}

template <class T>
Var<T> borrow(const View<const T>& pixels, int threads) {
  require(pixels.rank() > 0, "borrow", "expected an image, got none");
  auto value = std::make_shared<VarValue<T>>();
  value->view = pixels;
  value->threads = threads;
  return {std::move(value), nullptr};
}

template <class T>
double Var<T>::item() const {
  if (empty() || shape().elements() != 1) {
    require(false, "Var::item", "expected one element, got shape ",
            empty() ? "()" : shape().text());
  }
  return static_cast<double>(*value().data);
}

namespace detail {

template <class T>
void release(std::span<Var<T>> parents) {
  std::vector<std::shared_ptr<VarNode<T>>> doomed;
  const auto take = [&](std::span<Var<T>> vars) {
    for (Var<T>& var : vars) {
      if (var.node().use_count() == 1) doomed.push_back(var.take_node());
    }
  };
  take(parents);
  while (!doomed.empty()) {
    const std::shared_ptr<VarNode<T>> node = std::move(doomed.back());
    doomed.pop_back();
    take(node->parents());
  }
}

// A parent whose value is kept only if the rule will use it.
template <class T>
Var<T> kept(const Var<T>& a, bool used) {
  return used ? a : edge(a);
}

// ct of a broadcast result as the cotangent of an operand of this shape.
template <class T>
Var<T> fitted(const Var<T>& ct, const Shape& shape) {
  return ct.shape() == shape ? ct : sum_to(ct, shape);
}

// The same for ct * b, without that product where only its sum is wanted.
template <class T>
Var<T> fitted_product(Var<T> ct, const Var<T>& b, const Shape& shape) {
  if (shape == Shape{1} && ct.shape().elements() > 1) return dot(ct, repeat(b, ct.shape()));
  return fitted(std::move(ct) * b, shape);
}

}  // namespace detail

template <class T>
Var<T> Var<T>::add(Var a, Var b) {
  const std::array shapes{a.shape(), b.shape()};
  std::array parents{edge(a), edge(b)};
  Var out = detail::map<T, 2>("+", std::plus<>(), {std::move(a), std::move(b)});
  return record(std::move(out), std::move(parents), [shapes](const Pull<T, 2>& p) {
    return std::array{p.wants(0) ? detail::fitted(p.cotangent, shapes[0]) : Var(),
                      p.wants(1) ? detail::fitted(p.cotangent, shapes[1]) : Var()};
  });
}

template <class T>
Var<T> Var<T>::subtract(Var a, Var b) {
  const std::array shapes{a.shape(), b.shape()};
  std::array parents{edge(a), edge(b)};
  Var out = detail::map<T, 2>("-", std::minus<>(), {std::move(a), std::move(b)});
  return record(std::move(out), std::move(parents), [shapes](const Pull<T, 2>& p) {
    Var first = p.wants(0) ? detail::fitted(p.cotangent, shapes[0]) : Var();
    if (!p.wants(1)) return std::array{std::move(first), Var()};
    return std::array{std::move(first), detail::fitted(-std::move(p.cotangent), shapes[1])};
  });
}

template <class T>
Var<T> Var<T>::multiply(Var a, Var b) {
  const std::array shapes{a.shape(), b.shape()};
  std::array parents{detail::kept(a, b.needs_gradient()), detail::kept(b, a.needs_gradient())};
  Var out = detail::map<T, 2>("*", std::multiplies<>(), {std::move(a), std::move(b)});
  return record(std::move(out), std::move(parents), [shapes](const Pull<T, 2>& p) {
    const auto& [x, y] = p.parents;
    Var first;
    if (p.wants(0) && p.wants(1)) first = detail::fitted_product(p.cotangent, y, shapes[0]);
    Var& ct = p.cotangent;
    if (p.wants(1)) return std::array{first, detail::fitted_product(std::move(ct), x, shapes[1])};
    return std::array{detail::fitted_product(std::move(ct), y, shapes[0]), Var()};
  });
}

template <class T>
Var<T> Var<T>::divide(Var a, Var b) {
  const std::array shapes{a.shape(), b.shape()};
  std::array parents{edge(a), detail::kept(b, a.needs_gradient() || b.needs_gradient())};
  Var out = detail::map<T, 2>("/", std::divides<>(), {std::move(a), std::move(b)});
  return record_with_output(std::move(out), std::move(parents), [shapes](const Pull<T, 2>& p) {
    Var slope = std::move(p.cotangent) / p.parents[1];  // by a
    Var first = p.wants(0) ? detail::fitted(slope, shapes[0]) : Var();
    if (!p.wants(1)) return std::array{std::move(first), Var()};
    return std::array{std::move(first),
                      detail::fitted_product(-std::move(slope), p.output, shapes[1])};
  });
}

template <class T>
Var<T> Var<T>::negate(Var a) {
  std::array parents{edge(a)};
  return record(detail::map(std::negate<>(), std::move(a)), std::move(parents),
                [](const Pull<T, 1>& p) { return std::array{-std::move(p.cotangent)}; });
}

#define BLURFIELD_INSTANTIATE(T)                     \
  template class Var<T>;                             \
  template Var<T> borrow(const View<const T>&, int); \
  template void detail::release(std::span<Var<T>>)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);

}  // namespace blurfield
