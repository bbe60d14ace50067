// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/richardson_lucy_reference.h"

#include <algorithm>

namespace blurfield::test {
namespace {

// visit(frame pixel, scene pixel, tap) for all three that meet, as positions in the arrays.
template <class Visit>
void for_each_meeting(const RichardsonLucyProblem& problem, const Visit& visit) {
  const Shape& frame = problem.y.shape();
  const Shape& psf = problem.psf.shape();
  const Index cy = psf[0] / 2;
  const Index cx = psf[1] / 2;
  const Index my = problem.extend ? cy : 0;
  const Index mx = problem.extend ? cx : 0;
  const Index height = frame[2] + 2 * my;
  const Index width = frame[3] + 2 * mx;
  for (Index plane = 0; plane < frame[0] * frame[1]; ++plane) {
    for (Index y = 0; y < frame[2]; ++y) {
      for (Index x = 0; x < frame[3]; ++x) {
        for (Index tap = 0; tap < psf.elements(); ++tap) {
          const Index sy = y + my - (tap / psf[1] - cy);
          const Index sx = x + mx - (tap % psf[1] - cx);
          if (sy < 0 || sy >= height || sx < 0 || sx >= width) continue;
          visit((plane * frame[2] + y) * frame[3] + x, (plane * height + sy) * width + sx,
                problem.psf.data()[tap]);
        }
      }
    }
  }
}

}  // namespace

Image<double> forward_reference(const RichardsonLucyProblem& problem, const Image<double>& scene) {
  Image<double> frame(problem.y.shape());
  for_each_meeting(problem, [&](Index at, Index from, double tap) {
    frame.data()[at] += tap * scene.data()[from];
  });
  return frame;
}

Image<double> adjoint_reference(const RichardsonLucyProblem& problem, const Image<double>& frame) {
  Shape shape = problem.y.shape();
  if (problem.extend) {
    for (int axis : {0, 1}) shape[2 + axis] += problem.psf.shape()[axis] / 2 * 2;
  }
  Image<double> scene(shape);
  for_each_meeting(problem, [&](Index at, Index from, double tap) {
    scene.data()[from] += tap * frame.data()[at];
  });
  return scene;
}

Image<double> richardson_lucy_reference(const RichardsonLucyProblem& problem, Image<double> start,
                                        int iterations) {
  const Image<double> seen = adjoint_reference(problem, problem.weight);
  for (int k = 0; k < iterations; ++k) {
    Image<double> ratio = forward_reference(problem, start);
    for (Index i = 0; i < ratio.elements(); ++i) {
      const double counts = std::max(problem.y.data()[i] - problem.offset, 0.0);
      ratio.data()[i] = problem.weight.data()[i] * counts / (ratio.data()[i] + problem.background);
    }
    const Image<double> factor = adjoint_reference(problem, ratio);
    for (Index i = 0; i < start.elements(); ++i) {
      start.data()[i] *= factor.data()[i] / (problem.sensitivity ? seen.data()[i] : 1.0);
    }
  }
  return start;
}

}  // namespace blurfield::test
