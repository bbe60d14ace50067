// SPDX-License-Identifier: BSD-3-Clause
// Binds an operation with a vjp and a jvp of its own to Vars; see docs/add_an_op.md. An operation
// on N inputs is a copyable class with
//   static constexpr const char* kName = "local_filter";
//   static constexpr std::array<const char*, N> kInputs{"image", "weights"};
//   Shape shape(const Inputs<T, N>&) const;  // of the result
//   void forward(const Inputs<T, N>&, const View<T>& out) const;
//   void vjp(const Inputs<T, N>&, const View<const T>& cotangent, const Outputs<T, N>&) const;
//   void jvp(const Inputs<T, N>&, const Inputs<T, N>& dot, const View<T>& out_dot) const;
//   Dependence dependence(std::size_t i) const;  // on input i, the others held
// where empty gradients are not wanted, empty directions are 0, and inputs may have any strides.
// Its vjp is bound as well: its derivative by the cotangent is the jvp. That by the inputs follows
// where an input i enters linearly: in a direction d, the derivative by i is the operation with d
// in i's place. Else, asking for it throws Error with the operation's name.
#pragma once

#include "blurfield/autodiff/record.h"
#include "blurfield/autodiff/reduce.h"
#include "blurfield/base/extension.h"

namespace blurfield {

enum class Dependence { linear, affine, nonlinear };

template <class T, std::size_t N>
using Inputs = std::array<View<const T>, N>;
template <class T, std::size_t N>
using Outputs = std::array<View<T>, N>;

// On an image that is extended: linear, but for a border of other than 0.
inline Dependence on_image(const Extension& extension) {
  const bool offset = extension.mode == Mode::constant && extension.cval != 0;
  return offset ? Dependence::affine : Dependence::linear;
}

namespace detail {

template <class T, std::size_t N, class Op>
struct BoundOperation {
  using Vars = std::array<Var<T>, N>;

  static Var<T> apply(const Op& op, const Vars& in) {
    Image<T> out = Image<T>::uninitialised(op.shape(views(in)));
    op.forward(views(in), out);
    return record(Var<T>(std::move(out), common_threads<T>(in)), in, [op](const Pull<T, N>& p) {
      std::array<bool, N> wanted{};
      for (std::size_t i = 0; i < N; ++i) wanted[i] = p.wants(i);
      return vjp(op, p.parents, p.cotangent, wanted);
    });
  }

  static Inputs<T, N> views(const Vars& in) {
    Inputs<T, N> all;
    for (std::size_t i = 0; i < N; ++i) all[i] = in[i].value();
    return all;
  }
  static std::array<Var<T>, N + 1> with(const Vars& in, const Var<T>& last) {
    std::array<Var<T>, N + 1> all;
    std::copy_n(in.begin(), N, all.begin());
    all[N] = last;
    return all;
  }
  static Vars first(const std::array<Var<T>, N + 1>& all) {
    Vars in;
    std::copy_n(all.begin(), N, in.begin());
    return in;
  }

  // The gradients wanted, computed at once.
  static Vars vjp(const Op& op, const Vars& in, const Var<T>& cotangent,
                  const std::array<bool, N>& wanted) {
    std::array<Image<T>, N> pixels;
    Outputs<T, N> grad;
    for (std::size_t i = 0; i < N; ++i) {
      if (wanted[i]) grad[i] = pixels[i] = Image<T>::uninitialised(in[i].shape());
    }
    op.vjp(views(in), cotangent.value(), grad);
    Vars result;
    for (std::size_t i = 0; i < N; ++i) {
      if (!wanted[i]) continue;
      result[i] = record(Var<T>(std::move(pixels[i]), cotangent.threads()), with(in, cotangent),
                         [op, i](const Pull<T, N + 1>& p) {
                           const Vars at = first(p.parents);
                           auto by = second(op, at, i, p.cotangent, p.parents[N], p);
                           if (p.wants(N)) by[N] = jvp(op, at, i, p.cotangent);
                           return by;
                         });
    }
    return result;
  }

  // The derivative of the operation along a direction of input i.
  static Var<T> jvp(const Op& op, const Vars& in, std::size_t i, const Var<T>& direction) {
    Inputs<T, N> moved = views(in);
    Inputs<T, N> dot;
    Image<T> out = Image<T>::uninitialised(op.shape(moved));
    const bool linear = op.dependence(i) == Dependence::linear;
    (linear ? moved : dot)[i] = direction.value();
    linear ? op.forward(moved, out) : op.jvp(moved, dot, out);
    return record(Var<T>(std::move(out), direction.threads()), with(in, direction),
                  [op, i](const Pull<T, N + 1>& p) {
                    const Vars at = first(p.parents);
                    auto by = second(op, at, i, p.parents[N], p.cotangent, p);
                    std::array<bool, N> wanted{};
                    wanted[i] = p.wants(N);
                    if (wanted[i]) by[N] = vjp(op, at, p.cotangent, wanted)[i];
                    return by;
                  });
  }

  // The gradients by the inputs of <cotangent, derivative of the operation along `direction` in i>.
  static std::array<Var<T>, N + 1> second(const Op& op, const Vars& in, std::size_t i,
                                          const Var<T>& direction, const Var<T>& cotangent,
                                          const Pull<T, N + 1>& p) {
    const Dependence by_i = op.dependence(i);
    std::array<bool, N> wanted{};
    for (std::size_t j = 0; j < N; ++j) {
      wanted[j] = p.wants(j) && (j != i || by_i == Dependence::nonlinear);
      require(!wanted[j] || by_i != Dependence::nonlinear, Op::kName,
              "no second derivative by the ", Op::kInputs[i], j == i ? "" : " and the ",
              j == i ? "" : Op::kInputs[j]);
    }
    if (wanted == std::array<bool, N>{}) return {};
    Vars moved = in;
    moved[i] = direction;
    Vars result = vjp(op, moved, cotangent, wanted);
    if (by_i == Dependence::affine) {
      moved[i] = repeat(Var<T>(0), direction.shape());
      const Vars offset = vjp(op, moved, cotangent, wanted);
      for (std::size_t j = 0; j < N; ++j) {
        if (wanted[j]) result[j] = std::move(result[j]) - offset[j];
      }
    }
    return with(result, {});
  }
};

}  // namespace detail

// The operation on Vars. Where `op.options.execution` gives no thread limit, the Vars' holds.
template <class T, std::size_t N, class Op>
Var<T> apply_operation(Op op, const std::array<Var<T>, N>& in) {
  if constexpr (requires { op.options.execution; }) {
    if (op.options.execution.threads <= 0) op.options.execution.threads = common_threads<T>(in);
  }
  return detail::BoundOperation<T, N, Op>::apply(op, in);
}

}  // namespace blurfield
