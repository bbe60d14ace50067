// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "blurfield/learn/estimate.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bind.h"
#include "python/bindings/call.h"
#include "python/bindings/options.h"
#include "python/bindings/pixels.h"

namespace blurfield::python {
namespace {

EstimateOptions make_options(const std::string& model, const std::string& parameter,
                             const std::string& prior, const std::string& method,
                             const AdaptiveBlurOptions& blur) {
  EstimateOptions options;
  options.model = word("model", model, parse_model, "sigma, uniform, sigma-yx, logchol or mix");
  require(parameter == "exponential" || parameter == "soft-maximum", "parameter",
          "expected exponential or soft-maximum, got '", parameter, "'");
  options.parameter =
      parameter == "exponential" ? SigmaParameter::exponential : SigmaParameter::soft_maximum;
  options.prior = word("prior", prior, parse_prior, "none, smooth or tv");
  options.method = word("method", method, parse_estimate_method,
                        "gauss-newton, lbfgs, adamax or gradient-descent");
  options.blur = blur;
  return options;
}

py::dict step_dict(const EstimateStep& step) {
  py::dict told;
  told["iteration"] = step.iteration;
  told["loss"] = step.loss;
  told["value"] = step.value;
  told["lambda"] = step.lambda;
  told["gradient_norm"] = step.gradient_norm;
  told["step"] = step.step;
  told["seconds"] = step.seconds;
  return told;
}

template <class T>
py::dict result_dict(Estimate<T>&& found) {
  py::dict told;
  told["field"] = py::cast(Pixels{std::move(found.field)});
  told["confidence"] = py::cast(Pixels{std::move(found.confidence)});
  told["sigmas"] = py::cast(found.sigmas);
  told["noise"] = found.noise;
  told["lambda"] = found.lambda;
  told["loss"] = found.loss;
  told["known"] = found.known;
  told["stop"] = std::string(stop_name(found.result.stop));
  told["iterations"] = found.result.iterations;
  told["evaluations"] = found.result.evaluations;
  told["seconds"] = found.result.seconds;
  py::list trace;
  for (const EstimateStep& step : found.trace) trace.append(step_dict(step));
  told["trace"] = trace;
  return told;
}

// `callback`: None, or a callable that is given each step; False stops the work.
py::dict estimate_field(const py::object& sharp, const py::object& blurred, const py::object& mask,
                        const py::object& start, const EstimateOptions& options,
                        const py::object& callback) {
  const Array a(sharp, "sharp");
  const Array b(blurred, "blurred");
  const Array c(mask, "mask");
  const Array d(start, "start");
  py::dict result;
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    EstimateOptions all = options;
    all.blur.execution = call.execution();
    all.callback = [&](const EstimateStep& step) {
      return call.go_on(0.0) && call.ask(callback, [&] { return step_dict(step); });
    };
    Estimate<T> found = estimate<T>(a.in<T>(), b.in<T>(), all, c.in<T>(), d.in<T>());
    const py::gil_scoped_acquire acquire;
    result = result_dict<T>(std::move(found));
  });
  return result;
}

}  // namespace

void bind_learn(py::module_& module) {
  py::class_<EstimateOptions>(module, "EstimateOptions")
      .def(py::init(&make_options), py::arg("model"), py::arg("parameter"), py::arg("prior"),
           py::arg("method"), py::arg("blur"))
      .def_readwrite("sigmas", &EstimateOptions::sigmas)
      .def_readwrite("learn_sigmas", &EstimateOptions::learn_sigmas)
      .def_readwrite("scalar_weight", &EstimateOptions::scalar_weight)
      .def_readwrite("shared", &EstimateOptions::shared)
      .def_readwrite("lambda_", &EstimateOptions::lambda)
      .def_readwrite("noise", &EstimateOptions::noise)
      .def_readwrite("least_noise", &EstimateOptions::least_noise)
      .def_readwrite("max_iterations", &EstimateOptions::max_iterations)
      .def_readwrite("tolerance", &EstimateOptions::tolerance)
      .def_readwrite("rate", &EstimateOptions::rate)
      .def_readwrite("max_seconds", &EstimateOptions::max_seconds)
      .def_readwrite("max_sigma", &EstimateOptions::max_sigma);
  module.def("estimate", &estimate_field, py::arg("sharp"), py::arg("blurred"), py::arg("mask"),
             py::arg("start"), py::arg("options"), py::arg("callback"));
  module.def(
      "usual_iterations",
      [](const EstimateOptions& options) { return usual_iterations(options.method); },
      py::arg("options"));
}

}  // namespace blurfield::python
