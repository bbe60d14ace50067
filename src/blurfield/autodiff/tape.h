// SPDX-License-Identifier: BSD-3-Clause
// The sweep from outputs back to inputs.
#pragma once

#include <vector>

#include "blurfield/autodiff/var.h"

namespace blurfield {

// A differentiable copy of the handle: what is computed from it asks for gradients.
template <class T>
Var<T> input(const Var<T>& value);

// The nodes between outputs and inputs, in order. One that is frozen takes them over: to everybody
// else they are constants from then on, so that rules compute without recording.
template <class T>
class Tape {
 public:
  enum class Kind { frozen, live };
  // Outputs that are empty or constants are allowed.
  Tape(const std::vector<Var<T>>& outputs, const std::vector<Var<T>>& inputs, Kind kind);

  // The inputs' cotangents for those of the outputs, each of its output's shape; empty for an input
  // that no output depends on.
  std::vector<Var<T>> pull(const std::vector<Var<T>>& cotangents) const&;
  // The same, freeing nodes as the sweep passes them; the outputs themselves are the caller's.
  std::vector<Var<T>> pull(std::vector<Var<T>> cotangents) &&;

 private:
  std::vector<std::shared_ptr<VarNode<T>>> order_;  // parents first
  std::vector<std::shared_ptr<VarNode<T>>> outputs_;
  std::vector<std::shared_ptr<VarNode<T>>> inputs_;
};

}  // namespace blurfield
