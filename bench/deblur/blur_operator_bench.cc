// SPDX-License-Identifier: BSD-3-Clause
// Every blur operator and its adjoint on 512 x 512 float. Argument: threads.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "blurfield/base/random.h"
#include "blurfield/deblur/blur_operator.h"
#include "blurfield/deblur/downsampled.h"
#include "blurfield/deblur/gaussian_operator.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/deblur/psf_grid.h"
#include "blurfield/deblur/psf_operator.h"

namespace blurfield {
namespace {

using Operator = std::unique_ptr<BlurOperator<float>>;
const Shape kFrame{1, 1, 512, 512};

Image<float> noise(const Shape& shape) {
  Random random(1);
  Image<float> image(shape);
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] = static_cast<float>(random.normal());
  }
  return image;
}

Operator gaussian() {
  constexpr double kSigma = 3.0;
  return gaussian_operator<float>(kFrame, {&kSigma, 1});
}
Operator disk() { return psf_operator<float>(kFrame, disk_psf(6.0)); }
Operator wide_disk() { return psf_operator<float>(kFrame, disk_psf(31.0)); }

// Sigma from 0.7 to 4.
Operator adaptive(bool spread) {
  Image<float> field(kFrame);
  for (Index i = 0; i < field.elements(); ++i) {
    field.data()[i] = 0.7f + 3.3f * static_cast<float>(i % 512) / 511.0f;
  }
  AdaptiveBlurOptions options;
  options.scatter = spread;
  return adaptive_operator<float>(kFrame, field, {}, options);
}
Operator gather() { return adaptive(false); }
Operator scatter() { return adaptive(true); }

// 4 x 4 disks of 13 x 13.
Operator grid(GridOrder order) {
  const Image<double> psf = disk_psf(6.0);
  Image<double> psfs({4, 4, psf.shape()[0], psf.shape()[1]});
  for (Index k = 0; k < 16; ++k) {
    std::copy_n(psf.data(), psf.elements(), psfs.data() + k * psf.elements());
  }
  return psf_grid_operator<float>(kFrame, psfs, order);
}
Operator mask_first() { return grid(GridOrder::mask_first); }
Operator conv_first() { return grid(GridOrder::conv_first); }

Operator halved() {
  return downsampled<float>(psf_operator<float>({1, 1, 1024, 1024}, disk_psf(6.0)), 2);
}

void forward(benchmark::State& state, Operator (*make)()) {
  const Operator blur = make();
  const Image<float> scene = noise(blur->scene());
  Image<float> frame(blur->frame());
  for (auto _ : state) blur->forward(scene, frame, {static_cast<int>(state.range(0)), {}});
}

void adjoint(benchmark::State& state, Operator (*make)()) {
  const Operator blur = make();
  const Image<float> frame = noise(blur->frame());
  Image<float> scene(blur->scene());
  for (auto _ : state) blur->adjoint(frame, scene, {static_cast<int>(state.range(0)), {}});
}

void threads(benchmark::internal::Benchmark* bench) {
  bench->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}
#define BLURFIELD_OPERATOR(kind)                                                         \
  BENCHMARK_CAPTURE(forward, kind, kind)->Name("deblur/forward_" #kind)->Apply(threads); \
  BENCHMARK_CAPTURE(adjoint, kind, kind)->Name("deblur/adjoint_" #kind)->Apply(threads)
BLURFIELD_OPERATOR(gaussian);
BLURFIELD_OPERATOR(disk);
BLURFIELD_OPERATOR(wide_disk);
BLURFIELD_OPERATOR(gather);
BLURFIELD_OPERATOR(scatter);
BLURFIELD_OPERATOR(mask_first);
BLURFIELD_OPERATOR(conv_first);
BLURFIELD_OPERATOR(halved);
#undef BLURFIELD_OPERATOR

}  // namespace
}  // namespace blurfield
