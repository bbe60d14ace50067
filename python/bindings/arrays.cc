// SPDX-License-Identifier: BSD-3-Clause
#include "python/bindings/arrays.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "python/bindings/options.h"

namespace blurfield::python {

Array::Array(const py::object& object, const char* name, bool writable) : name_(name) {
  if (object.is_none()) return;
  const int flags = writable ? PyBUF_STRIDED | PyBUF_FORMAT : PyBUF_STRIDED_RO | PyBUF_FORMAT;
  if (PyObject_GetBuffer(object.ptr(), &buffer_, flags) != 0) throw py::error_already_set();
  const std::string_view format = buffer_.format != nullptr ? buffer_.format : "B";
  is_double_ = format == "d";
  bool in_place = buffer_.ndim <= kMaxRank;
  for (int i = 0; in_place && i < buffer_.ndim; ++i) {
    in_place = buffer_.strides[i] % buffer_.itemsize == 0;
  }
  in_place &= reinterpret_cast<std::uintptr_t>(buffer_.buf) % buffer_.itemsize == 0;
  if ((is_double_ || format == "f") && in_place) return;
  const std::string text = message(name, ": expected aligned float32 or float64 of at most ",
                                   kMaxRank, " axes, got format '", format, "'");
  PyBuffer_Release(&buffer_);
  throw Error(text);
}

Array::~Array() {
  if (!empty()) PyBuffer_Release(&buffer_);
}

template <class T>
View<T> Array::view() const {
  if (empty()) return {};
  if (is_double_ != std::is_same_v<std::remove_const_t<T>, double>) {
    throw Error(message(name_, ": expected the element type of the first array, ",
                        is_double_ ? "float32, got float64" : "float64, got float32"));
  }
  const Shape shape = shape_of({buffer_.shape, buffer_.shape + buffer_.ndim});
  std::array<Index, kMaxRank> stride{};
  for (int i = 0; i < buffer_.ndim; ++i) {
    stride[static_cast<std::size_t>(i)] = buffer_.strides[i] / buffer_.itemsize;
  }
  return {static_cast<T*>(buffer_.buf), shape, stride};
}

template View<const float> Array::view() const;
template View<const double> Array::view() const;
template View<float> Array::view() const;
template View<double> Array::view() const;

}  // namespace blurfield::python
