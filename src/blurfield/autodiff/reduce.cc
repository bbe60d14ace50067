// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/reduce.h"

#include <cmath>

#include "blurfield/autodiff/detail/map.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/slice.h"

namespace blurfield {
namespace {

// Terms are added in eight sums side by side, which compilers vectorise as written.
template <class Term>
double sum_run(Index count, const Term& term) {
  std::array<double, 8> sums{};
  Index i = 0;
  for (; i + 8 <= count; i += 8) {
    for (Index k = 0; k < 8; ++k) sums[static_cast<std::size_t>(k)] += term(i + k);
  }
  for (; i < count; ++i) sums[0] += term(i);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

// The sum of term(a(i)) or of term(a(i), b(i)) over equal shapes.
template <class T, std::size_t N, class Term>
double reduce(const std::array<View<const T>, N>& views, int threads, const Term& term) {
  const detail::Loop<N> loop = detail::broadcast<T>("sum", views);
  const auto part = [&](Index begin, Index end) {
    double total = 0.0;
    detail::for_each_run(loop, begin, end, [&](Index, Index count, const auto& offset) {
      const auto stride = [&](std::size_t i) { return loop.axes > 0 ? loop.stride[0][i] : 0; };
      const T* none = nullptr;
      detail::with_elements(views[0].data + offset[0], stride(0), none, [&](const auto& a) {
        if constexpr (N == 1) {
          total += sum_run(count, [&](Index i) { return term(static_cast<double>(a(i))); });
        } else {
          detail::with_elements(views[1].data + offset[1], stride(1), none, [&](const auto& b) {
            total += sum_run(count, [&](Index i) {
              return term(static_cast<double>(a(i)), static_cast<double>(b(i)));
            });
          });
        }
      });
    });
    return total;
  };
  return static_cast<double>(loop.repeats) * parallel_sum(loop.count, threads, std::ref(part));
}

template <class T>
Var<T> number(double value, int threads) {
  auto result = detail::allocate<T>({1}, threads);
  result->number = static_cast<T>(value);
  return {std::move(result), nullptr};
}

// sqrt(sum a^2), scaled by max |a| where squares leave the range of double.
template <class T>
double safe_norm(const View<const T>& a, int threads) {
  const double squares = reduce<T, 1>({a}, threads, [](double v) { return v * v; });
  if (squares > 1e-280 && squares < 1e300) return std::sqrt(squares);
  double largest = 0.0;
  const auto compare = [&](double v) {
    if (!(std::abs(v) <= largest)) largest = std::abs(v);
    return 0.0;
  };
  reduce<T, 1>({a}, 1, compare);
  if (largest == 0.0 || !std::isfinite(largest)) return largest;
  return largest * std::sqrt(reduce<T, 1>({a}, threads, [largest](double v) {
           return (v / largest) * (v / largest);
         }));
}

// a as seen along the axes that sum_to(a, shape) keeps, or along those that it sums: the others
// have extent 1.
template <class T>
View<const T> part_of(View<const T> a, const Shape& shape, bool summed) {
  const int lead = a.rank() - shape.rank();
  for (int axis = 0; axis < a.rank(); ++axis) {
    const Index kept = axis < lead ? 1 : shape[axis - lead];
    if (kept != 1 && kept != a.shape[axis]) {
      require(false, "sum_to", "expected a shape that broadcasts to ", a.shape.text(), ", got ",
              shape.text());
    }
    if (summed == (kept == a.shape[axis])) a.shape[axis] = 1;
  }
  return a;
}

// to[i] = sum over the second loop, for elements begin..end of the first.
template <class T>
void sum_block(const T* from, const detail::Loop<1>& kept, const detail::Loop<1>& sums, Index begin,
               Index end, T* to) {
  const Index step = kept.axes > 0 ? kept.stride[0][0] : 0;
  const Index sum_step = sums.axes > 0 ? sums.stride[0][0] : 0;
  constexpr Index kBlock = 512;
  std::array<double, kBlock> total;
  detail::for_each_run(kept, begin, end, [&](Index at, Index run, const auto& offset) {
    for (Index first = 0; first < run; first += kBlock) {
      const Index count = std::min(kBlock, run - first);
      const T* const block = from + offset[0] + first * step;
      total.fill(0.0);
      detail::for_each_run(sums, 0, sums.count, [&](Index, Index length, const auto& sum_offset) {
        const T* const in = block + sum_offset[0];
        for (Index k = 0; sum_step == 1 && k < count; ++k) {
          total[k] += sum_run(length, [&](Index i) { return double{in[k * step + i]}; });
        }
        for (Index i = 0; sum_step != 1 && i < length; ++i) {
          for (Index k = 0; k < count; ++k) total[k] += double{in[k * step + i * sum_step]};
        }
      });
      for (Index k = 0; k < count; ++k) {
        to[at + first + k] = static_cast<T>(total[k] * static_cast<double>(sums.repeats));
      }
    }
  });
}

template <class T>
Var<T> sum_values_to(const Var<T>& a, const Shape& shape) {
  if (shape.rank() == 0 || shape.rank() > a.shape().rank()) {
    require(false, "sum_to", "expected a shape that broadcasts to ", a.shape().text(), ", got ",
            shape.text());
  }
  const View<const T> along = part_of(a.value(), shape, false);
  const View<const T> across = part_of(a.value(), shape, true);
  if (shape.elements() == 1) {
    const double total = reduce<T, 1>({a.value()}, a.threads(), [](double v) { return v; });
    return reshape(number<T>(total, a.threads()), shape);
  }
  const detail::Loop<1> kept = detail::broadcast<T, 1>("sum_to", {along});
  const detail::Loop<1> sums = detail::broadcast<T, 1>("sum_to", {across});
  if (kept.repeats != 1) return sum_values_to(detail::packed(a), shape);
  auto out = detail::allocate<T>(shape, a.threads());
  // Tasks of about 2^15 terms.
  const Index chunk = std::max<Index>(1, (Index{1} << 15) / std::max<Index>(1, sums.count));
  parallel_for((kept.count + chunk - 1) / chunk, {a.threads(), {}}, [&](Index i) {
    sum_block(along.data, kept, sums, i * chunk, std::min(kept.count, (i + 1) * chunk),
              detail::pixels_of(*out));
  });
  return {std::move(out), nullptr};
}

}  // namespace

template <class T>
Var<T> sum(const Var<T>& a) {
  return record(sum_values_to(constant(a), {1}), std::array{edge(a)},
                [from = a.shape()](const Pull<T, 1>& p) {
                  const bool spread = !p.parents[0].node()->takes_number;
                  return std::array{spread ? repeat(p.cotangent, from) : p.cotangent};
                });
}

template <class T>
Var<T> mean(const Var<T>& a) {
  return sum(a) * (1.0 / static_cast<double>(a.shape().elements()));
}

template <class T>
Var<T> sum_to(const Var<T>& a, const Shape& shape) {
  return record(
      sum_values_to(constant(a), shape), std::array{edge(a)},
      [from = a.shape()](const Pull<T, 1>& p) { return std::array{repeat(p.cotangent, from)}; });
}

template <class T>
Var<T> repeat(const Var<T>& a, const Shape& shape) {
  if (a.shape() == shape) return a;
  View<const T> view = a.value();
  const int lead = shape.rank() - view.rank();
  view.shape = shape;
  bool fits = lead >= 0;
  for (int axis = 0; fits && axis < shape.rank(); ++axis) {
    const Index own = axis < lead ? 1 : a.shape()[axis - lead];
    fits = own == 1 || own == shape[axis];
    view.stride[axis] = own == 1 ? 0 : a.value().stride[axis - lead];
  }
  if (!fits) {
    require(false, "repeat", "expected a shape that broadcasts to ", shape.text(), ", got ",
            a.shape().text());
  }
  return record(
      detail::window(a, view), std::array{edge(a)},
      [from = a.shape()](const Pull<T, 1>& p) { return std::array{sum_to(p.cotangent, from)}; });
}

template <class T>
Var<T> dot(const Var<T>& a, const Var<T>& b) {
  if (!(a.shape() == b.shape())) {
    require(false, "dot", "expected equal shapes, got ", a.shape().text(), " and ",
            b.shape().text());
  }
  const int threads = common_threads<T>(std::array{a, b});
  const double total =
      reduce<T, 2>({a.value(), b.value()}, threads, [](double v, double w) { return v * w; });
  if (a.held() == b.held() && a.node() == b.node()) {
    return record(number<T>(total, threads), std::array{a},
                  [](const Pull<T, 1>& p) { return std::array{2 * p.cotangent * p.parents[0]}; });
  }
  return record(number<T>(total, threads),
                std::array{b.needs_gradient() ? a : edge(a), a.needs_gradient() ? b : edge(b)},
                [](const Pull<T, 2>& p) {
                  return std::array{p.wants(0) ? p.cotangent * p.parents[1] : Var<T>(),
                                    p.wants(1) ? p.cotangent * p.parents[0] : Var<T>()};
                });
}

template <class T>
Var<T> norm(const Var<T>& a) {
  return record_with_output(number<T>(safe_norm(a.value(), a.threads()), a.threads()),
                            std::array{a}, [](const Pull<T, 1>& p) {
                              const bool zero = p.output.item() == 0;
                              const Var<T> scale = zero ? 0 * p.cotangent : p.cotangent / p.output;
                              return std::array{scale * p.parents[0]};
                            });
}

#define BLURFIELD_INSTANTIATE(T)                       \
  template Var<T> sum(const Var<T>&);                  \
  template Var<T> mean(const Var<T>&);                 \
  template Var<T> dot(const Var<T>&, const Var<T>&);   \
  template Var<T> norm(const Var<T>&);                 \
  template Var<T> sum_to(const Var<T>&, const Shape&); \
  template Var<T> repeat(const Var<T>&, const Shape&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);

}  // namespace blurfield
