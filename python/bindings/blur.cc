// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/mix.h"
#include "blurfield/ops/mix_levels.h"
#include "blurfield/ops/uniform_blur.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bind.h"
#include "python/bindings/call.h"
#include "python/bindings/options.h"

namespace blurfield::python {
namespace {

using Numbers = std::vector<double>;

AdaptiveBlurOptions with(const AdaptiveBlurOptions& options, const Call& call) {
  AdaptiveBlurOptions all = options;
  all.execution = call.execution();
  return all;
}

AdaptiveBlurOptions make_options(const std::string& mode, double cval,
                                 const std::optional<double>& truncate,
                                 const std::vector<int>& radius, double tolerance,
                                 const std::string& method, bool scatter) {
  AdaptiveBlurOptions options;
  options.extension = {mode_of(mode), cval};
  options.truncate = truncate;
  options.radius = radius;
  options.tolerance = tolerance;
  options.method = blur_method_of(method);
  options.scatter = scatter;
  return options;
}

BlurReport adaptive(const py::object& x, const py::object& field, const py::object& out,
                    const AdaptiveBlurOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(field, "field");
  const Array c(out, "out", true);
  BlurReport report;
  typed(a, progress, [&]<class T>(T, Call& call) {
    report = adaptive_blur<T>(a.in<T>(), b.in<T>(), c.out<T>(), with(options, call));
  });
  return report;
}

void adaptive_vjp(const py::object& x, const py::object& field, const py::object& cotangent,
                  const py::object& grad_x, const py::object& grad_field,
                  const AdaptiveBlurOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(field, "field");
  const Array c(cotangent, "cotangent");
  const Array d(grad_x, "grad_input", true);
  const Array e(grad_field, "grad_field", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    adaptive_blur_vjp<T>(a.in<T>(), b.in<T>(), c.in<T>(), d.out<T>(), e.out<T>(),
                         with(options, call));
  });
}

void adaptive_jvp(const py::object& x, const py::object& field, const py::object& x_dot,
                  const py::object& field_dot, const py::object& out_dot,
                  const AdaptiveBlurOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(field, "field");
  const Array c(x_dot, "input_dot");
  const Array d(field_dot, "field_dot");
  const Array e(out_dot, "out", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    adaptive_blur_jvp<T>(a.in<T>(), b.in<T>(), c.in<T>(), d.in<T>(), e.out<T>(),
                         with(options, call));
  });
}

BlurReport adaptive_plan(const std::vector<Index>& shape, const py::object& field,
                         const AdaptiveBlurOptions& options) {
  const Array a(field, "field");
  BlurReport report;
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    report = adaptive_blur_plan<T>(shape_of(shape), a.in<T>(), with(options, call));
  });
  return report;
}

BlurReport uniform(const py::object& x, const Numbers& gaussian, const py::object& out,
                   const AdaptiveBlurOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(out, "out", true);
  BlurReport report;
  typed(a, progress, [&]<class T>(T, Call& call) {
    report = uniform_blur<T>(a.in<T>(), gaussian, b.out<T>(), with(options, call));
  });
  return report;
}

// The gradient by the Gaussian, where `by_gaussian` asks for it.
Numbers uniform_vjp(const py::object& x, const Numbers& gaussian, const py::object& cotangent,
                    const py::object& grad_x, bool by_gaussian, const AdaptiveBlurOptions& options,
                    const py::object& progress) {
  const Array a(x, "input");
  const Array b(cotangent, "cotangent");
  const Array c(grad_x, "grad_input", true);
  Numbers grad(by_gaussian ? gaussian.size() : 0);
  typed(a, progress, [&]<class T>(T, Call& call) {
    uniform_blur_vjp<T>(a.in<T>(), gaussian, b.in<T>(), c.out<T>(), grad, with(options, call));
  });
  return grad;
}

void uniform_jvp(const py::object& x, const Numbers& gaussian, const py::object& x_dot,
                 const Numbers& gaussian_dot, const py::object& out_dot,
                 const AdaptiveBlurOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(x_dot, "input_dot");
  const Array c(out_dot, "out", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    uniform_blur_jvp<T>(a.in<T>(), gaussian, b.in<T>(), gaussian_dot, c.out<T>(),
                        with(options, call));
  });
}

BlurReport uniform_plan(const std::vector<Index>& shape, bool is_double, const Numbers& gaussian,
                        const AdaptiveBlurOptions& options) {
  const auto limited = [&] {
    AdaptiveBlurOptions all = options;
    all.execution.threads = num_threads();
    return all;
  }();
  return is_double ? uniform_blur_plan<double>(shape_of(shape), gaussian, limited)
                   : uniform_blur_plan<float>(shape_of(shape), gaussian, limited);
}

void mix_two(const py::object& x, const MixSigmas& sigmas, const py::object& weight,
             const py::object& out, const AdaptiveBlurOptions& options,
             const py::object& progress) {
  const Array a(x, "input");
  const Array b(weight, "weight");
  const Array c(out, "out", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    mix<T>(a.in<T>(), sigmas, b.in<T>(), c.out<T>(), with(options, call));
  });
}

MixSigmas mix_two_vjp(const py::object& x, const MixSigmas& sigmas, const py::object& weight,
                      const py::object& cotangent, const py::object& grad_x, bool by_sigmas,
                      const py::object& grad_weight, const AdaptiveBlurOptions& options,
                      const py::object& progress) {
  const Array a(x, "input");
  const Array b(weight, "weight");
  const Array c(cotangent, "cotangent");
  const Array d(grad_x, "grad_input", true);
  const Array e(grad_weight, "grad_weight", true);
  MixSigmas grad{};
  typed(a, progress, [&]<class T>(T, Call& call) {
    mix_vjp<T>(a.in<T>(), sigmas, b.in<T>(), c.in<T>(), d.out<T>(), by_sigmas ? &grad : nullptr,
               e.out<T>(), with(options, call));
  });
  return grad;
}

void mix_two_jvp(const py::object& x, const MixSigmas& sigmas, const py::object& weight,
                 const py::object& x_dot, const MixSigmas& sigmas_dot, const py::object& weight_dot,
                 const py::object& out_dot, const AdaptiveBlurOptions& options,
                 const py::object& progress) {
  const Array a(x, "input");
  const Array b(weight, "weight");
  const Array c(x_dot, "input_dot");
  const Array d(weight_dot, "weight_dot");
  const Array e(out_dot, "out", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    mix_jvp<T>(a.in<T>(), sigmas, b.in<T>(), c.in<T>(), sigmas_dot, d.in<T>(), e.out<T>(),
               with(options, call));
  });
}

void levels(const py::object& x, const Numbers& sigmas, const py::object& sigma,
            const py::object& out, const AdaptiveBlurOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(sigma, "sigma");
  const Array c(out, "out", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    mix_levels<T>(a.in<T>(), sigmas, b.in<T>(), c.out<T>(), with(options, call));
  });
}

void levels_vjp(const py::object& x, const Numbers& sigmas, const py::object& sigma,
                const py::object& cotangent, const py::object& grad_x, const py::object& grad_sigma,
                const AdaptiveBlurOptions& options, const py::object& progress) {
  const Array a(x, "input");
  const Array b(sigma, "sigma");
  const Array c(cotangent, "cotangent");
  const Array d(grad_x, "grad_input", true);
  const Array e(grad_sigma, "grad_sigma", true);
  typed(a, progress, [&]<class T>(T, Call& call) {
    mix_levels_vjp<T>(a.in<T>(), sigmas, b.in<T>(), c.in<T>(), d.out<T>(), e.out<T>(),
                      with(options, call));
  });
}

void bind_report(py::module_& module) {
  py::class_<BlurReport>(module, "BlurReport", "What a blur did, or would do (blur_report.h).")
      .def_readonly("exact", &BlurReport::exact, "part of the pixels computed exactly")
      .def_readonly("stack", &BlurReport::stack, "part interpolated between blurs of a pyramid")
      .def_readonly("residual", &BlurReport::residual, "part by kernels on a pyramid's levels")
      .def_readonly("steps", &BlurReport::steps, "pixels between samples of the levels made")
      .def_readonly("nodes", &BlurReport::nodes, "uniform blurs per tile of the stack, on average")
      .def_readonly("error_bound", &BlurReport::error_bound, "bound on sum |w' - w| at any pixel")
      .def_readonly("truncated", &BlurReport::truncated,
                    "truncate or radius costs more than the tolerance: computed exactly")
      .def_readonly("bytes", &BlurReport::bytes, "memory beside input, field and output")
      .def_readonly("seconds", &BlurReport::seconds, "one thread's time, predicted")
      .def_readonly("exact_seconds", &BlurReport::exact_seconds, "the same of the exact blur")
      .def("__repr__", [](const BlurReport& r) {
        return message("BlurReport(exact=", r.exact, ", stack=", r.stack, ", residual=", r.residual,
                       ", nodes=", r.nodes, ", error_bound=", r.error_bound, ", bytes=", r.bytes,
                       ")");
      });
}

}  // namespace

void bind_blur(py::module_& module) {
  bind_report(module);
  py::class_<AdaptiveBlurOptions>(module, "BlurOptions")
      .def(py::init(&make_options), py::arg("mode"), py::arg("cval"), py::arg("truncate"),
           py::arg("radius"), py::arg("tolerance"), py::arg("method"), py::arg("scatter"));
  const py::arg x("input");
  const py::arg field("field");
  const py::arg out("out");
  const py::arg options("options");
  const py::arg cotangent("cotangent");
  const py::arg gaussian("gaussian");
  const py::arg sigmas("sigmas");
  const py::arg weight("weight");
  const py::arg grad_x("grad_input");
  const py::arg x_dot("input_dot");
  const auto progress = py::arg("progress") = py::none();
  module.def("adaptive_blur", &adaptive, x, field, out, options, progress);
  module.def("adaptive_blur_vjp", &adaptive_vjp, x, field, cotangent, grad_x, py::arg("grad_field"),
             options, progress);
  module.def("adaptive_blur_jvp", &adaptive_jvp, x, field, x_dot, py::arg("field_dot"), out,
             options, progress);
  module.def("adaptive_blur_plan", &adaptive_plan, py::arg("shape"), field, options);
  module.def("uniform_blur", &uniform, x, gaussian, out, options, progress);
  module.def("uniform_blur_vjp", &uniform_vjp, x, gaussian, cotangent, grad_x,
             py::arg("by_gaussian"), options, progress);
  module.def("uniform_blur_jvp", &uniform_jvp, x, gaussian, x_dot, py::arg("gaussian_dot"), out,
             options, progress);
  module.def("uniform_blur_plan", &uniform_plan, py::arg("shape"), py::arg("is_double"), gaussian,
             options);
  module.def("mix", &mix_two, x, sigmas, weight, out, options, progress);
  module.def("mix_vjp", &mix_two_vjp, x, sigmas, weight, cotangent, grad_x, py::arg("by_sigmas"),
             py::arg("grad_weight"), options, progress);
  module.def("mix_jvp", &mix_two_jvp, x, sigmas, weight, x_dot, py::arg("sigmas_dot"),
             py::arg("weight_dot"), out, options, progress);
  module.def("mix_levels", &levels, x, sigmas, py::arg("sigma"), out, options, progress);
  module.def("mix_levels_vjp", &levels_vjp, x, sigmas, py::arg("sigma"), cotangent, grad_x,
             py::arg("grad_sigma"), options, progress);
  module.def("mix_level_sigmas", py::overload_cast<double, double, double>(&mix_level_sigmas),
             py::arg("sigma_min"), py::arg("sigma_max"), py::arg("tolerance"));
}

}  // namespace blurfield::python
