// SPDX-License-Identifier: BSD-3-Clause
#include <vector>

#include "blurfield/base/error.h"
#include "python/bindings/bind.h"
#include "python/bindings/call.h"
#include "python/bindings/pixels.h"

namespace blurfield::python {
namespace {

py::buffer_info memory(Pixels& pixels) {
  return std::visit(
      []<class T>(Image<T>& image) {
        std::vector<py::ssize_t> extents;
        std::vector<py::ssize_t> strides;
        const View<T> view = image.view();
        for (int axis = 0; axis < view.rank(); ++axis) {
          extents.push_back(view.shape[axis]);
          strides.push_back(view.stride[static_cast<std::size_t>(axis)] *
                            static_cast<py::ssize_t>(sizeof(T)));
        }
        return py::buffer_info(view.data, sizeof(T), py::format_descriptor<T>::format(),
                               view.rank(), extents, strides);
      },
      pixels.image);
}

}  // namespace

void bind_base(py::module_& module) {
  const auto error = py::register_exception<Error>(module, "Error", PyExc_ValueError);
  py::register_exception<Cancelled>(module, "Cancelled", error.ptr());
  module.def("num_threads", &num_threads);
  module.def("set_num_threads", &set_num_threads, py::arg("threads"));
  py::class_<Pixels>(module, "Pixels", py::buffer_protocol()).def_buffer(&memory);
  module.attr("version") = BLURFIELD_VERSION;
}

}  // namespace blurfield::python
