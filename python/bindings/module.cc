// SPDX-License-Identifier: BSD-3-Clause
// blurfield._core: the library as functions on buffers. Checks and shapes that a user sees are the
// package's; see python/blurfield.
#include "python/bindings/bind.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "blurfield's C++ library; use the package's functions instead.";
  blurfield::python::bind_base(module);
  blurfield::python::bind_blur(module);
  blurfield::python::bind_convolution(module);
  blurfield::python::bind_gaussian(module);
  blurfield::python::bind_learn(module);
  blurfield::python::bind_deblur(module);
}
