// SPDX-License-Identifier: BSD-3-Clause
// Arrays of Python as Views: anything with the buffer protocol, without a copy, any strides. The
// package hands in float32 or float64 of native byte order, shaped as the operations want them.
#pragma once

#include <pybind11/pybind11.h>

#include "blurfield/base/view.h"

namespace blurfield::python {

namespace py = pybind11;

// Keeps the pixels of a Python object alive and in place. None is the empty view. Made and
// destroyed with the GIL held; used without.
class Array {
 public:
  // Throws Error, naming the argument, for objects without pixels of float or double, and pixels
  // that lie between elements.
  Array(const py::object& object, const char* name, bool writable = false);
  ~Array();
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  bool empty() const { return buffer_.obj == nullptr; }
  bool is_double() const { return is_double_; }
  // Throws Error for an element type other than T.
  template <class T>
  View<const T> in() const {
    return view<const T>();
  }
  template <class T>
  View<T> out() const {
    return view<T>();
  }

 private:
  template <class T>
  View<T> view() const;

  const char* name_;
  Py_buffer buffer_{};
  bool is_double_ = false;
};

// f(T{}) with the element type of an array.
template <class F>
decltype(auto) by_type(const Array& array, const F& f) {
  return array.is_double() ? f(double{}) : f(float{});
}

}  // namespace blurfield::python
