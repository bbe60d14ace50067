// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/stl.h>

#include <array>
#include <vector>

#include "blurfield/ops/covariance.h"
#include "blurfield/ops/gaussian_kernel.h"
#include "blurfield/ops/noise_level.h"
#include "blurfield/ops/soft_maximum.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bind.h"
#include "python/bindings/call.h"

namespace blurfield::python {
namespace {

using Three = std::array<double, 3>;

// Conversions of fields (N, 3, H, W), and their derivatives.
void logchol_to_cov_field(const py::object& from, const py::object& to) {
  const Array a(from, "logchol");
  const Array b(to, "out", true);
  by_type(a, [&]<class T>(T) { logchol_to_cov<T>(a.in<T>(), b.out<T>()); });
}
void cov_to_logchol_field(const py::object& from, const py::object& to) {
  const Array a(from, "cov");
  const Array b(to, "out", true);
  by_type(a, [&]<class T>(T) { cov_to_logchol<T>(a.in<T>(), b.out<T>()); });
}
void cov_to_logchol_gradient(const py::object& cov, const py::object& cotangent,
                             const py::object& grad) {
  const Array a(cov, "cov");
  const Array b(cotangent, "cotangent");
  const Array c(grad, "grad", true);
  by_type(a, [&]<class T>(T) { cov_to_logchol_vjp<T>(a.in<T>(), b.in<T>(), c.out<T>()); });
}
void cov_to_logchol_along(const py::object& cov, const py::object& dot, const py::object& out) {
  const Array a(cov, "cov");
  const Array b(dot, "cov_dot");
  const Array c(out, "out", true);
  by_type(a, [&]<class T>(T) { cov_to_logchol_jvp<T>(a.in<T>(), b.in<T>(), c.out<T>()); });
}

double noise(const py::object& image, const py::object& weight) {
  const Array a(image, "image");
  const Array b(weight, "weight");
  double result = 0.0;
  typed(a, py::none(), [&]<class T>(T, Call&) { result = noise_level<T>(a.in<T>(), b.in<T>()); });
  return result;
}

void bind_kernels(py::module_& module) {
  const py::arg sigma("sigma");
  const py::arg radius("radius");
  const py::arg logchol("logchol");
  module.def("gaussian_kernel1d", &gaussian_kernel1d, sigma, radius, py::arg("order"));
  module.def("gaussian_kernel1d_dsigma", &gaussian_kernel1d_dsigma, sigma, radius,
             py::arg("order"));
  module.def(
      "gaussian_kernel2d",
      [](const std::array<double, 2>& s, const std::array<int, 2>& r,
         const std::array<int, 2>& order) { return gaussian_kernel2d(s, r, order).taps; },
      sigma, radius, py::arg("order"));
  module.def(
      "gaussian_kernel2d_logchol",
      [](const Three& p, const std::array<int, 2>& r) {
        return gaussian_kernel2d_logchol(p, r).taps;
      },
      logchol, radius);
  module.def(
      "gaussian_kernel2d_dlogchol",
      [](const Three& p, const std::array<int, 2>& r) {
        std::vector<std::vector<double>> all;
        for (const Kernel2d& kernel : gaussian_kernel2d_dlogchol(p, r)) all.push_back(kernel.taps);
        return all;
      },
      logchol, radius);
  module.def("gaussian_radius", py::overload_cast<double, double>(&gaussian_radius), sigma,
             py::arg("truncate"));
  module.def("gaussian_radius_logchol", py::overload_cast<const Three&, double>(&gaussian_radius),
             logchol, py::arg("truncate"));
}

}  // namespace

void bind_gaussian(py::module_& module) {
  bind_kernels(module);
  module.def("logchol_to_cov", &logchol_to_cov_field, py::arg("logchol"), py::arg("out"));
  module.def("cov_to_logchol", &cov_to_logchol_field, py::arg("cov"), py::arg("out"));
  module.def("cov_to_logchol_vjp", &cov_to_logchol_gradient, py::arg("cov"), py::arg("cotangent"),
             py::arg("grad"));
  module.def("cov_to_logchol_jvp", &cov_to_logchol_along, py::arg("cov"), py::arg("cov_dot"),
             py::arg("out"));
  module.def(
      "soft_maximum",
      [](double s, double sigma_min, double shift) {
        return soft_maximum(s, {sigma_min, shift});
      },
      py::arg("s"), py::arg("sigma_min"), py::arg("shift"));
  module.def(
      "soft_maximum_derivative",
      [](double s, double sigma_min, double shift) {
        return soft_maximum_derivative(s, {sigma_min, shift});
      },
      py::arg("s"), py::arg("sigma_min"), py::arg("shift"));
  module.def(
      "soft_maximum_inverse",
      [](double sigma, double sigma_min, double shift) {
        return soft_maximum_inverse(sigma, {sigma_min, shift});
      },
      py::arg("sigma"), py::arg("sigma_min"), py::arg("shift"));
  module.def("noise_level", &noise, py::arg("image"), py::arg("weight"));
}

}  // namespace blurfield::python
