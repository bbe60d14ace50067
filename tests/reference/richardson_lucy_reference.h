// SPDX-License-Identifier: BSD-3-Clause
// Slow twin of deblur/richardson_lucy.h for one point-spread function, without acceleration and TV:
// the definition, tap by tap, in double.
#pragma once

#include "blurfield/base/image.h"

namespace blurfield::test {

struct RichardsonLucyProblem {
  Image<double> y;
  Image<double> psf;     // (H, W) of odd sizes
  Image<double> weight;  // of y's shape
  bool extend = true;    // else what lies beyond the frame is 0
  double offset = 0.0;
  double background = 0.0;
  bool sensitivity = true;
};

// frame = A scene and scene = A^T frame.
Image<double> forward_reference(const RichardsonLucyProblem& problem, const Image<double>& scene);
Image<double> adjoint_reference(const RichardsonLucyProblem& problem, const Image<double>& frame);

// The scene after that many iterations from `start`.
Image<double> richardson_lucy_reference(const RichardsonLucyProblem& problem, Image<double> start,
                                        int iterations);

}  // namespace blurfield::test
