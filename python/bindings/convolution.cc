// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <vector>

#include "blurfield/ops/correlate.h"
#include "blurfield/ops/filter_bank.h"
#include "blurfield/ops/local_filter.h"
#include "blurfield/ops/sliding_window.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bind.h"
#include "python/bindings/call.h"
#include "python/bindings/options.h"

namespace blurfield::python {
namespace {

using Indices = std::vector<Index>;

CorrelateOptions make_options(const std::string& mode, double cval, const std::string& output,
                              const Indices& stride, const Indices& dilation,
                              const Indices& padding, bool flip, const std::string& method) {
  CorrelateOptions options;
  options.extension = {mode_of(mode), cval};
  options.output = word("output", output, parse_output, "same, full or valid");
  options.stride = stride;
  options.dilation = dilation;
  options.padding = padding;
  options.flip = flip;
  options.method = word("method", method, parse_method, "auto, direct, separable, gemm or fft");
  return options;
}

template <class Options>
Options with(const Options& options, const Call& call) {
  Options all = options;
  all.execution = call.execution();
  return all;
}

Indices extents(const Shape& shape) {
  Indices all;
  for (int axis = 0; axis < shape.rank(); ++axis) all.push_back(shape[axis]);
  return all;
}

// The method that was taken.
std::string correlate_into(const py::object& x, const py::object& kernel, const py::object& out,
                           const CorrelateOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(kernel, "kernel");
  const Array c(out, "out", true);
  CorrelatePlan plan;
  typed(a, progress, [&]<class T>(T, Call& call) {
    plan = correlate<T>(a.in<T>(), b.in<T>(), c.out<T>(), with(options, call));
  });
  return std::string(method_name(plan.method));
}

void correlate_gradients(const py::object& x, const py::object& kernel, const py::object& cotangent,
                         const py::object& grad_x, const py::object& grad_kernel,
                         const CorrelateOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(kernel, "kernel");
  const Array c(cotangent, "cotangent");
  const Array d(grad_x, "grad_input", true);
  const Array e(grad_kernel, "grad_kernel", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    correlate_vjp<T>(a.in<T>(), b.in<T>(), c.in<T>(), d.out<T>(), e.out<T>(), with(options, call));
  });
}

void correlate_along(const py::object& x, const py::object& kernel, const py::object& x_dot,
                     const py::object& kernel_dot, const py::object& out_dot,
                     const CorrelateOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(kernel, "kernel");
  const Array c(x_dot, "input_dot");
  const Array d(kernel_dot, "kernel_dot");
  const Array e(out_dot, "out", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    correlate_jvp<T>(a.in<T>(), b.in<T>(), c.in<T>(), d.in<T>(), e.out<T>(), with(options, call));
  });
}

LocalFilterOptions local_options(const Indices& window, const std::string& mode, double cval,
                                 const Call& call) {
  return {window, {mode_of(mode), cval}, call.execution()};
}

void local_into(const py::object& x, const py::object& weights, const py::object& out,
                const Indices& window, const std::string& mode, double cval,
                const py::object& progress) {
  const Array a(x, "input");
  const Array b(weights, "weights");
  const Array c(out, "out", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    local_filter<T>(a.in<T>(), b.in<T>(), c.out<T>(), local_options(window, mode, cval, call));
  });
}

void local_gradients(const py::object& x, const py::object& weights, const py::object& cotangent,
                     const py::object& grad_x, const py::object& grad_weights,
                     const Indices& window, const std::string& mode, double cval,
                     const py::object& progress) {
  const Array a(x, "input");
  const Array b(weights, "weights");
  const Array c(cotangent, "cotangent");
  const Array d(grad_x, "grad_input", true);
  const Array e(grad_weights, "grad_weights", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    local_filter_vjp<T>(a.in<T>(), b.in<T>(), c.in<T>(), d.out<T>(), e.out<T>(),
                        local_options(window, mode, cval, call));
  });
}

void pack_windows(const py::object& x, const Indices& window, const py::object& columns,
                  const CorrelateOptions& options) {
  const Array a(x, "input");
  const Array b(columns, "out", true);
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    im2col<T>(a.in<T>(), window, b.out<T>(), with(options, call));
  });
}

void add_windows(const py::object& columns, const Indices& window, const py::object& x,
                 const CorrelateOptions& options) {
  const Array a(columns, "columns");
  const Array b(x, "out", true);
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    col2im<T>(a.in<T>(), window, b.out<T>(), with(options, call));
  });
}

py::list filters() {
  py::list all;
  for (const Filter& filter : filter_bank()) {
    all.append(py::make_tuple(std::string(filter.name), std::string(filter.summary),
                              filter.has_sigma, filter.least_size, filter.usual_size));
  }
  return all;
}

// Row by row.
std::vector<double> filter_weights(const std::string& name, Index size, double sigma) {
  const Image<double> kernel = make_filter(name, size, sigma);
  return {kernel.data(), kernel.data() + kernel.elements()};
}

}  // namespace

void bind_convolution(py::module_& module) {
  const py::arg x("input");
  const py::arg kernel("kernel");
  const py::arg weights("weights");
  const py::arg out("out");
  const py::arg options("options");
  const py::arg cotangent("cotangent");
  const py::arg grad_x("grad_input");
  const py::arg window("window");
  const py::arg mode("mode");
  const py::arg cval("cval");
  const auto progress = py::arg("progress") = py::none();
  py::class_<CorrelateOptions>(module, "CorrelateOptions")
      .def(py::init(&make_options), mode, cval, py::arg("output"), py::arg("stride"),
           py::arg("dilation"), py::arg("padding"), py::arg("flip"), py::arg("method"));
  module.def(
      "correlate_shape",
      [](const Indices& shape, const Indices& taps, const CorrelateOptions& o) {
        return extents(correlate_shape(shape_of(shape), shape_of(taps), o));
      },
      py::arg("shape"), kernel, options);
  module.def("correlate", &correlate_into, x, kernel, out, options, progress);
  module.def("correlate_vjp", &correlate_gradients, x, kernel, cotangent, grad_x,
             py::arg("grad_kernel"), options, progress);
  module.def("correlate_jvp", &correlate_along, x, kernel, py::arg("input_dot"),
             py::arg("kernel_dot"), out, options, progress);
  module.def("local_filter", &local_into, x, weights, out, window, mode, cval, progress);
  module.def("local_filter_vjp", &local_gradients, x, weights, cotangent, grad_x,
             py::arg("grad_weights"), window, mode, cval, progress);
  module.def(
      "im2col_shape",
      [](const Indices& shape, const Indices& taps, const CorrelateOptions& o) {
        return extents(im2col_shape(shape_of(shape), taps, o));
      },
      py::arg("shape"), window, options);
  module.def("im2col", &pack_windows, x, window, out, options);
  module.def("col2im", &add_windows, py::arg("columns"), window, out, options);
  module.def("filters", &filters);
  module.def("make_filter", &filter_weights, py::arg("name"), py::arg("size"), py::arg("sigma"));
}

}  // namespace blurfield::python
