// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/deblur.h"

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "blurfield/deblur/psf.h"
#include "blurfield/deblur/richardson_lucy.h"
#include "blurfield/deblur/wiener.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bind.h"
#include "python/bindings/blur_operator.h"
#include "python/bindings/call.h"
#include "python/bindings/options.h"
#include "python/bindings/pixels.h"

namespace blurfield::python {
namespace {

DeblurSettings make_settings(const std::string& method, const std::string& fidelity,
                             const std::string& prior, const std::string& rule) {
  DeblurSettings settings;
  settings.method = word("method", method, parse_deblur_method,
                         "auto, wiener, tikhonov, rl, tv, fista, lbfgs or newton-cg");
  settings.fidelity.kind =
      word("fidelity", fidelity, parse_fidelity, "gaussian, huber, poisson or norm");
  settings.prior.kind = word("prior", prior, parse_image_prior,
                             "none, tikhonov, gradient, norm, tv, huber-tv, tv2 or hessian");
  settings.rule = word("lambda_rule", rule, parse_lambda_rule, "auto, discrepancy, gcv or sure");
  return settings;
}

template <class T>
py::dict step_dict(const DeblurStep<T>& step) {
  py::dict told;
  told["iteration"] = step.iteration;
  told["value"] = step.value;
  told["lambda"] = step.lambda;
  told["residual"] = step.residual;
  told["change"] = step.change;
  told["seconds"] = step.seconds;
  return told;
}

template <class T>
py::dict result_dict(Deblurred<T>&& found) {
  py::dict told;
  told["image"] = py::cast(Pixels{std::move(found.image)});
  told["method"] = std::string(deblur_method_name(found.method));
  told["noise"] = found.noise;
  told["lambda"] = found.lambda;
  told["prior_scale"] = found.prior_scale;
  told["residual"] = found.residual;
  told["freedom"] = found.freedom;
  told["warnings"] = found.warnings;
  told["why"] = found.why;
  told["stop"] = std::string(stop_name(found.result.stop));
  told["iterations"] = found.result.iterations;
  told["evaluations"] = found.result.evaluations;
  told["seconds"] = found.result.seconds;
  py::list trace;
  for (const DeblurStep<T>& step : found.trace) trace.append(step_dict(step));
  told["trace"] = trace;
  return told;
}

py::dict deblur_frame(const Operator& blur, const py::object& y, const py::object& weight,
                      const py::object& start, const DeblurSettings& settings,
                      const py::object& callback) {
  const Array a(y, "image");
  const Array b(weight, "weight");
  const Array c(start, "start");
  py::dict result;
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    DeblurOptions<T> options;
    static_cast<DeblurSettings&>(options) = settings;
    options.threads = call.execution().threads;
    options.callback = [&](const DeblurStep<T>& step) {
      return call.go_on(0.0) && call.ask(callback, [&] { return step_dict(step); });
    };
    Deblurred<T> found = deblur<T>(blur.of<T>(), a.in<T>(), options, b.in<T>(), c.in<T>());
    const py::gil_scoped_acquire acquire;
    result = result_dict<T>(std::move(found));
  });
  return result;
}

// Moves x, the scene, from its start.
void richardson_lucy_steps(const Operator& blur, const py::object& y, const py::object& x,
                           const py::object& weight, int iterations, bool accelerate, double tv,
                           double background, double change_tolerance, double discrepancy,
                           bool sensitivity, const py::object& callback) {
  const Array a(y, "image");
  const Array b(x, "scene", true);
  const Array c(weight, "weight");
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    RichardsonLucyOptions<T> options;
    options.max_iterations = iterations;
    options.accelerate = accelerate;
    options.tv = tv;
    options.background = background;
    options.change_tolerance = change_tolerance;
    options.discrepancy = discrepancy;
    options.sensitivity = sensitivity;
    options.threads = call.execution().threads;
    options.callback = [&](const Iterate<T>& at) {
      return call.go_on(0.0) && call.ask(callback, [&] { return py::int_(at.iteration); });
    };
    richardson_lucy<T>(blur.of<T>(), a.in<T>(), b.out<T>(), options, c.in<T>());
  });
}

py::tuple closed_form(const Operator& blur, const py::object& y, double noise, bool tikhonov_form,
                      bool gradient, std::optional<double> lambda) {
  const Array a(y, "image");
  py::tuple result;
  typed(a, py::none(), [&]<class T>(T, Call& call) {
    const WienerOptions options{gradient, lambda, call.execution().threads};
    WienerResult<T> found = tikhonov_form ? tikhonov<T>(blur.of<T>(), a.in<T>(), noise, options)
                                          : wiener<T>(blur.of<T>(), a.in<T>(), noise, options);
    const py::gil_scoped_acquire acquire;
    result = py::make_tuple(Pixels{std::move(found.image)}, found.lambda);
  });
  return result;
}

void bind_settings(py::module_& module) {
  py::class_<DeblurSettings>(module, "DeblurSettings")
      .def(py::init(&make_settings), py::arg("method"), py::arg("fidelity"), py::arg("prior"),
           py::arg("lambda_rule"))
      .def_property(
          "gain", [](const DeblurSettings& s) { return s.fidelity.gain; },
          [](DeblurSettings& s, double gain) { s.fidelity.gain = gain; })
      .def_property(
          "offset", [](const DeblurSettings& s) { return s.fidelity.offset; },
          [](DeblurSettings& s, double offset) { s.fidelity.offset = offset; })
      .def_property(
          "background", [](const DeblurSettings& s) { return s.fidelity.background; },
          [](DeblurSettings& s, double background) { s.fidelity.background = background; })
      .def_property(
          "threshold", [](const DeblurSettings& s) { return s.fidelity.threshold; },
          [](DeblurSettings& s, double threshold) { s.fidelity.threshold = threshold; })
      .def_property(
          "joint", [](const DeblurSettings& s) { return s.prior.joint; },
          [](DeblurSettings& s, bool joint) { s.prior.joint = joint; })
      .def_readwrite("prior_scale", &DeblurSettings::prior_scale)
      .def_readwrite("lambda_", &DeblurSettings::lambda)
      .def_readwrite("noise", &DeblurSettings::noise)
      .def_readwrite("least_noise", &DeblurSettings::least_noise)
      .def_readwrite("lower", &DeblurSettings::lower)
      .def_readwrite("upper", &DeblurSettings::upper)
      .def_readwrite("accelerate", &DeblurSettings::accelerate)
      .def_readwrite("max_iterations", &DeblurSettings::max_iterations)
      .def_readwrite("tolerance", &DeblurSettings::tolerance)
      .def_readwrite("max_seconds", &DeblurSettings::max_seconds);
}

void bind_psfs(py::module_& module) {
  const auto pixels = [](Image<double>&& image) { return Pixels{std::move(image)}; };
  module.def(
      "gaussian_psf",
      [=](double sigma, double truncate) { return pixels(gaussian_psf(sigma, truncate)); },
      py::arg("sigma"), py::arg("truncate"));
  module.def(
      "disk_psf", [=](double radius) { return pixels(disk_psf(radius)); }, py::arg("radius"));
  module.def(
      "motion_psf", [=](double length, double angle) { return pixels(motion_psf(length, angle)); },
      py::arg("length"), py::arg("angle"));
  module.def(
      "moffat_psf", [=](double fwhm, double beta) { return pixels(moffat_psf(fwhm, beta)); },
      py::arg("fwhm"), py::arg("beta"));
}

}  // namespace

void bind_deblur(py::module_& module) {
  bind_operator(module);
  bind_settings(module);
  bind_psfs(module);
  const py::arg blur("operator");
  const py::arg image("image");
  const py::arg weight("weight");
  module.def("deblur", &deblur_frame, blur, image, weight, py::arg("start"), py::arg("settings"),
             py::arg("callback"));
  module.def("richardson_lucy", &richardson_lucy_steps, blur, image, py::arg("scene"), weight,
             py::arg("iterations"), py::arg("accelerate"), py::arg("tv"), py::arg("background"),
             py::arg("change_tolerance"), py::arg("discrepancy"), py::arg("sensitivity"),
             py::arg("callback"));
  module.def("closed_form", &closed_form, blur, image, py::arg("noise"), py::arg("tikhonov"),
             py::arg("gradient"), py::arg("lambda_"));
}

}  // namespace blurfield::python
