// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <iostream>
#include <map>
#include <utility>

#include "bench/peers/jobs.h"
#include "blurfield/ops/adaptive_blur.h"

namespace blurfield::bench {

void tolerance_job(std::istream& job) {
  const std::map<std::string, BlurMethod> methods{{"auto", BlurMethod::automatic},
                                                  {"exact", BlurMethod::exact},
                                                  {"stack", BlurMethod::stack},
                                                  {"residual", BlurMethod::residual}};
  Index height = 0;
  Index width = 0;
  Index channels = 0;
  std::string method;
  std::string pass;
  std::string x_path;
  std::string field_path;
  std::string out_path;
  AdaptiveBlurOptions options;
  job >> height >> width >> options.execution.threads >> channels >> options.tolerance >> method >>
      pass >> x_path >> field_path >> out_path;
  require(!job.fail() && methods.contains(method), "ours",
          "expected tolerance H W THREADS CHANNELS TOLERANCE METHOD PASS X FIELD OUT");
  options.method = methods.at(method);
  const Image<float> x = load(x_path, {1, 1, height, width});
  const Image<float> field = load(field_path, {1, channels, height, width});
  Image<float> out(pass == "field" ? field.shape() : x.shape());
  const Cost cost = measure([&] {
    if (pass == "forward") adaptive_blur<float>(x, field, out, options);
    if (pass == "image") adaptive_blur_vjp<float>(x, field, x, out, {}, options);
    if (pass == "field") adaptive_blur_vjp<float>(x, field, x, {}, out, options);
  });
  save(out_path, std::array{&std::as_const(out)});
  const BlurReport report = adaptive_blur_plan<float>(x.shape(), field, options);
  std::cout << cost.seconds << ' ' << cost.bytes << ' ' << report.exact << ' ' << report.stack
            << ' ' << report.residual << ' ' << report.nodes << std::endl;
}

}  // namespace blurfield::bench
