// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/tape.h"

#include <array>

namespace blurfield {

template <class T>
Var<T> input(const Var<T>& value) {
  return {value.held(), std::make_shared<VarNode<T>>()};
}

template <class T>
Tape<T>::Tape(const std::vector<Var<T>>& outputs, const std::vector<Var<T>>& inputs, Kind kind) {
  for (const Var<T>& in : inputs) inputs_.push_back(in.node());
  const auto done = [this](const VarNode<T>& node) {
    return node.slot < order_.size() && order_[node.slot].get() == &node;
  };
  struct Visit {
    std::shared_ptr<VarNode<T>> node;
    std::size_t parent = 0;  // the next one to look at
  };
  std::vector<Visit> path;  // depth first, by hand: graphs may be deeper than the stack
  for (const Var<T>& out : outputs) {
    outputs_.push_back(out.needs_gradient() ? out.node() : nullptr);
    if (outputs_.back() && !done(*outputs_.back())) path.push_back({outputs_.back()});
    while (!path.empty()) {
      Visit& visit = path.back();
      const std::span<Var<T>> parents = visit.node->parents();
      if (visit.parent < parents.size()) {
        const Var<T>& parent = parents[visit.parent++];
        if (parent.needs_gradient() && !done(*parent.node())) path.push_back({parent.node()});
      } else {
        visit.node->slot = order_.size();
        order_.push_back(std::move(visit.node));
        path.pop_back();
      }
    }
  }
  if (kind == Kind::live) return;
  for (const auto& node : order_) node->live = false;
}

namespace {

constexpr std::size_t kMostParents = 8;

template <class T>
void accumulate(Var<T>& total, Var<T>&& part) {
  total = total.empty() ? std::move(part) : std::move(total) + std::move(part);
}

// `forget` is called for each node once it has been passed.
template <class T, class Order, class Nodes, class Forget>
std::vector<Var<T>> sweep(Order& order, Nodes outputs, const Nodes& inputs,
                          std::vector<Var<T>> cotangents, const Forget& forget) {
  std::vector<Var<T>> at(order.size());
  const auto place = [&](const VarNode<T>* node) -> Var<T>* {
    const bool known = node && node->slot < order.size() && order[node->slot].get() == node;
    return known ? &at[node->slot] : nullptr;
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (Var<T>* to = place(outputs[i].get())) accumulate(*to, std::move(cotangents[i]));
  }
  outputs.clear();
  cotangents.clear();
  for (std::size_t i = order.size(); i-- > 0;) {
    const std::span<Var<T>> parents = order[i]->parents();
    if (parents.empty()) continue;  // an input keeps its cotangent
    if (Var<T> cotangent = std::move(at[i]); !cotangent.empty()) {
      std::array<Var<T>, kMostParents> parts;
      order[i]->pull(order[i], std::move(cotangent), parts);
      for (std::size_t k = 0; k < parents.size(); ++k) {
        Var<T>* to = parts[k].empty() ? nullptr : place(parents[k].node().get());
        if (to) accumulate(*to, std::move(parts[k]));
      }
    }
    forget(order[i]);
  }
  std::vector<Var<T>> result;
  for (const auto& in : inputs) {
    Var<T>* from = place(in.get());
    result.push_back(from ? *from : Var<T>());
  }
  return result;
}

}  // namespace

template <class T>
std::vector<Var<T>> Tape<T>::pull(const std::vector<Var<T>>& cotangents) const& {
  return sweep<T>(order_, outputs_, inputs_, cotangents, [](const auto&) {});
}

template <class T>
std::vector<Var<T>> Tape<T>::pull(std::vector<Var<T>> cotangents) && {
  return sweep<T>(order_, std::exchange(outputs_, {}), inputs_, std::move(cotangents),
                  [](auto& node) { node.reset(); });
}

template class Tape<float>;
template class Tape<double>;
template Var<float> input(const Var<float>&);
template Var<double> input(const Var<double>&);

}  // namespace blurfield
