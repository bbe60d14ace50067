// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <iostream>
#include <utility>

#include "bench/peers/jobs.h"
#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::bench {

void uniform_job(std::istream& job) {
  Index height = 0;
  Index width = 0;
  double sigma = 0.0;
  std::string x_path;
  std::string out_path;
  BlurOptions options;
  job >> height >> width >> options.execution.threads >> sigma >> options.tolerance >> x_path >>
      out_path;
  require(!job.fail(), "ours", "expected uniform H W THREADS SIGMA TOLERANCE X OUT");
  const Image<float> x = load(x_path, {1, 1, height, width});
  Image<float> out(x.shape());
  const Cost cost = measure([&] { uniform_blur<float>(x, std::span(&sigma, 1), out, options); });
  save(out_path, std::array{&std::as_const(out)});
  std::cout << cost.seconds << ' ' << cost.bytes << std::endl;
}

void adaptive_job(std::istream& job) {
  Index height = 0;
  Index width = 0;
  Index channels = 0;
  double truncate = 0.0;
  int radius = 0;
  bool gradient = false;
  std::string x_path;
  std::string field_path;
  std::string out_path;
  AdaptiveBlurOptions options;
  options.extension.mode = Mode::constant;
  job >> height >> width >> options.execution.threads >> channels >> truncate >> radius >>
      gradient >> x_path >> field_path >> out_path;
  require(!job.fail(), "ours", "expected adaptive H W THREADS CHANNELS TRUNCATE RADIUS ",
          "GRADIENT X FIELD OUT");
  options.truncate = truncate;
  if (radius > 0) options.radius = {radius};
  const Image<float> x = load(x_path, {1, 1, height, width});
  const Image<float> field = load(field_path, {1, channels, height, width});
  Image<float> out(x.shape());
  Image<float> grad_x(x.shape());
  Image<float> grad_field(field.shape());
  const Cost cost = measure([&] {
    adaptive_blur<float>(x, field, out, options);
    if (!gradient) return;
    adaptive_blur_vjp<float>(x, field, out, grad_x, grad_field, options);
  });
  const std::array<const Image<float>*, 3> results{&out, &grad_x, &grad_field};
  save(out_path, std::span(results).first(gradient ? 3 : 1));
  std::cout << cost.seconds << ' ' << cost.bytes << std::endl;
}

}  // namespace blurfield::bench
