// SPDX-License-Identifier: BSD-3-Clause
// A blur operator of either element type.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "blurfield/deblur/blur_operator.h"

namespace blurfield::python {

class Operator {
 public:
  explicit Operator(std::unique_ptr<BlurOperator<float>> blur) : single_(std::move(blur)) {}
  explicit Operator(std::unique_ptr<BlurOperator<double>> blur) : double_(std::move(blur)) {}

  bool is_double() const { return double_ != nullptr; }
  // Throws Error for images of another element type.
  template <class T>
  const BlurOperator<T>& of() const {
    if constexpr (std::is_same_v<T, double>) {
      require(double_ != nullptr, "operator", "expected float32 images, got float64");
      return *double_;
    } else {
      require(single_ != nullptr, "operator", "expected float64 images, got float32");
      return *single_;
    }
  }
  // f(const BlurOperator<T>&)
  template <class F>
  auto visit(const F& f) const {
    return is_double() ? f(*double_) : f(*single_);
  }

 private:
  std::unique_ptr<BlurOperator<float>> single_;
  std::unique_ptr<BlurOperator<double>> double_;
};

void bind_operator(pybind11::module_& module);

}  // namespace blurfield::python
