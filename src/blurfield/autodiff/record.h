// SPDX-License-Identifier: BSD-3-Clause
// How a function of Vars remembers its rule: for those who write functions. Whole operations with
// vjp and jvp of their own are bound by operation.h.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "blurfield/autodiff/var.h"

namespace blurfield {

// What a rule is given. Parents are as recorded: one passed as edge(a) has no value.
template <class T, std::size_t N>
struct Pull {
  Var<T>& cotangent;  // to be given away where it is used last: its memory may serve again
  const std::array<Var<T>, N>& parents;
  const Var<T>& output;  // empty unless recorded by record_with_output
  bool wants(std::size_t i) const { return parents[i].node() != nullptr; }
};

// A parent whose value the rule does not use: it is not kept alive.
template <class T>
Var<T> edge(const Var<T>& a) {
  return {nullptr, a.node()};
}

// The thread limit of what is computed from these.
template <class T>
int common_threads(std::span<const Var<T>> vars) {
  int threads = 0;
  for (const Var<T>& var : vars) {
    const int own = var.threads();
    if (threads == 0 || (own != 0 && own < threads)) threads = own;
  }
  return threads;
}

namespace detail {

// Drops parents. A chain of sole owners is taken apart in a loop: it may be too long to recurse.
template <class T>
void release(std::span<Var<T>> parents);

template <class T, std::size_t N, class Rule>
class RuleNode final : public VarNode<T> {
 public:
  RuleNode(std::array<Var<T>, N> parents, std::shared_ptr<VarValue<T>> output, Rule rule)
      : parents_(std::move(parents)), output_(std::move(output)), rule_(std::move(rule)) {}
  ~RuleNode() override { release<T>(parents_); }
  RuleNode(const RuleNode&) = delete;
  RuleNode& operator=(const RuleNode&) = delete;
  std::span<Var<T>> parents() override { return parents_; }
  void pull(const std::shared_ptr<VarNode<T>>& self, Var<T> cotangent,
            std::span<Var<T>> parent_cotangents) override {
    const Var<T> output = output_ ? Var<T>(output_, self) : Var<T>();
    std::ranges::move(rule_(Pull<T, N>{cotangent, parents_, output}), parent_cotangents.begin());
  }

 private:
  std::array<Var<T>, N> parents_;
  std::shared_ptr<VarValue<T>> output_;
  Rule rule_;
};

template <class T, std::size_t N, class Rule>
Var<T> record(Var<T> value, bool with_output, std::array<Var<T>, N> parents, Rule rule) {
  bool needed = false;
  for (Var<T>& parent : parents) {
    if (!parent.needs_gradient()) parent.take_node();
    needed = needed || parent.node();
  }
  if (!needed) return value;
  auto output = with_output ? value.held() : nullptr;
  auto node = std::make_shared<RuleNode<T, N, Rule>>(std::move(parents), std::move(output),
                                                     std::move(rule));
  return {value.take_value(), std::move(node)};
}

}  // namespace detail

// `value` (a constant) as a function of `parents`; a constant still if they all are. The rule is
//   std::array<Var<T>, N> rule(const Pull<T, N>&)
// the cotangents of the parents, each of the parent's shape; empty where it does not want one. It
// holds no Vars of its own but constants.
template <class T, std::size_t N, class Rule>
Var<T> record(Var<T> value, std::array<Var<T>, N> parents, Rule rule) {
  return detail::record(std::move(value), false, std::move(parents), std::move(rule));
}
// The same for a rule that uses the result.
template <class T, std::size_t N, class Rule>
Var<T> record_with_output(Var<T> value, std::array<Var<T>, N> parents, Rule rule) {
  return detail::record(std::move(value), true, std::move(parents), std::move(rule));
}

}  // namespace blurfield
