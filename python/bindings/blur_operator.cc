// SPDX-License-Identifier: BSD-3-Clause
#include "python/bindings/blur_operator.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "blurfield/deblur/downsampled.h"
#include "blurfield/deblur/gaussian_operator.h"
#include "blurfield/deblur/psf_grid.h"
#include "blurfield/deblur/psf_operator.h"
#include "python/bindings/arrays.h"
#include "python/bindings/call.h"
#include "python/bindings/options.h"

namespace blurfield::python {
namespace {

using Indices = std::vector<Index>;

// "extend": the scene goes on beyond the frame, unknown.
Border border_of(const std::string& mode) {
  if (mode == "extend") return {};
  return {false,
          word("mode", mode, parse_mode, "extend, reflect, mirror, nearest, constant or wrap")};
}

// What make(T{}) gives, with pixels `factor` times as large.
template <class Make>
std::unique_ptr<Operator> made(bool is_double, Index factor, const Make& make) {
  const py::gil_scoped_release release;
  const auto typed = [&]<class T>(T type) {
    auto blur = make(type);
    if (factor != 1) blur = downsampled<T>(std::move(blur), factor);
    return std::make_unique<Operator>(std::move(blur));
  };
  return is_double ? typed(double{}) : typed(float{});
}

std::unique_ptr<Operator> of_gaussian(const Indices& frame, bool is_double,
                                      const std::vector<double>& gaussian, const std::string& mode,
                                      const AdaptiveBlurOptions& options, Index factor) {
  const Border border = border_of(mode);
  const Shape shape = shape_of(frame);
  return made(is_double, factor,
              [&]<class T>(T) { return gaussian_operator<T>(shape, gaussian, border, options); });
}

std::unique_ptr<Operator> of_field(const Indices& frame, const py::object& field,
                                   const std::string& mode, const AdaptiveBlurOptions& options,
                                   Index factor) {
  const Array a(field, "field");
  const Border border = border_of(mode);
  const Shape shape = shape_of(frame);
  return made(a.is_double(), factor,
              [&]<class T>(T) { return adaptive_operator<T>(shape, a.in<T>(), border, options); });
}

std::unique_ptr<Operator> of_psf(const Indices& frame, bool is_double, const py::object& psf,
                                 const std::string& mode, Index factor) {
  const Array a(psf, "psf");
  const Border border = border_of(mode);
  const Shape shape = shape_of(frame);
  return made(is_double, factor,
              [&]<class T>(T) { return psf_operator<T>(shape, a.in<double>(), border); });
}

std::unique_ptr<Operator> of_psf_grid(const Indices& frame, bool is_double, const py::object& psfs,
                                      const std::string& order, const std::string& mode,
                                      Index factor) {
  const Array a(psfs, "psfs");
  const Border border = border_of(mode);
  const GridOrder grid = word("order", order, parse_order, "mask-first or conv-first");
  const Shape shape = shape_of(frame);
  return made(is_double, factor, [&]<class T>(T) {
    return psf_grid_operator<T>(shape, a.in<double>(), grid, border);
  });
}

Indices extents(const Shape& shape) {
  Indices all;
  for (int axis = 0; axis < shape.rank(); ++axis) all.push_back(shape[axis]);
  return all;
}

void apply(const Operator& blur, bool adjoint, const py::object& from, const py::object& to) {
  const Array a(from, "input");
  const Array b(to, "out", true);
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    const BlurOperator<T>& op = blur.of<T>();
    if (adjoint) {
      op.adjoint(a.in<T>(), b.out<T>(), call.execution());
    } else {
      op.forward(a.in<T>(), b.out<T>(), call.execution());
    }
  });
}

}  // namespace

void bind_operator(py::module_& module) {
  const py::arg frame("frame");
  const py::arg is_double("is_double");
  const py::arg mode("mode");
  const py::arg options("options");
  const py::arg factor("factor");
  py::class_<Operator>(module, "Operator")
      .def_static("of_gaussian", &of_gaussian, frame, is_double, py::arg("gaussian"), mode, options,
                  factor)
      .def_static("of_field", &of_field, frame, py::arg("field"), mode, options, factor)
      .def_static("of_psf", &of_psf, frame, is_double, py::arg("psf"), mode, factor)
      .def_static("of_psf_grid", &of_psf_grid, frame, is_double, py::arg("psfs"), py::arg("order"),
                  mode, factor)
      .def_property_readonly("is_double", &Operator::is_double)
      .def_property_readonly("scene",
                             [](const Operator& blur) {
                               return blur.visit([](const auto& b) { return extents(b.scene()); });
                             })
      .def_property_readonly("frame",
                             [](const Operator& blur) {
                               return blur.visit([](const auto& b) { return extents(b.frame()); });
                             })
      .def_property_readonly(
          "margin",
          [](const Operator& blur) { return blur.visit([](const auto& b) { return b.margin(); }); })
      .def(
          "forward",
          [](const Operator& blur, const py::object& scene, const py::object& out) {
            apply(blur, false, scene, out);
          },
          py::arg("scene"), py::arg("out"))
      .def(
          "adjoint",
          [](const Operator& blur, const py::object& image, const py::object& out) {
            apply(blur, true, image, out);
          },
          py::arg("frame"), py::arg("out"));
}

}  // namespace blurfield::python
