// SPDX-License-Identifier: BSD-3-Clause
// The parts of the module, one per file.
#pragma once

#include <pybind11/pybind11.h>

namespace blurfield::python {

void bind_base(pybind11::module_& module);         // threads, errors
void bind_blur(pybind11::module_& module);         // ops: adaptive and uniform blur, mix
void bind_convolution(pybind11::module_& module);  // ops: correlation, windows, local filter
void bind_gaussian(pybind11::module_& module);     // ops: kernels, covariances, numbers
void bind_learn(pybind11::module_& module);
void bind_deblur(pybind11::module_& module);

}  // namespace blurfield::python
