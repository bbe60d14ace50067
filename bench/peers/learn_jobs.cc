// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <iostream>
#include <utility>

#include "bench/peers/jobs.h"
#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/objective.h"
#include "blurfield/optim/adamax.h"

namespace blurfield::bench {

void adamax_job(std::istream& job) {
  constexpr int kIterations = 10;
  Index height = 0;
  Index width = 0;
  Index channels = 0;
  int threads = 0;
  double truncate = 0.0;
  int radius = 0;
  std::string x_path;
  std::string target_path;
  std::string start_path;
  std::string out_path;
  AdaptiveBlurOptions options;
  options.extension.mode = Mode::constant;
  job >> height >> width >> threads >> channels >> truncate >> radius >> x_path >> target_path >>
      start_path >> out_path;
  require(!job.fail(), "ours", "expected adamax H W THREADS CHANNELS TRUNCATE RADIUS ",
          "X TARGET START OUT");
  options.truncate = truncate;
  if (radius > 0) options.radius = {radius};
  options.execution.threads = threads;
  const Image<float> x = load(x_path, {1, 1, height, width});
  const Image<float> target = load(target_path, x.shape());
  const Image<float> start = load(start_path, {1, channels, height, width});
  const auto loss = [&](const Var<float>& s) {
    const Var<float> field = channels == 1 ? exp(s) : s;
    return mean(square(adaptive_blur(borrow(x), field, options) - borrow(target)));
  };
  AdamaxOptions<float> settings;
  settings.rate = 1e-3;  // the widths, and so the work, stay those of the start
  settings.max_iterations = kIterations;
  settings.threads = threads;
  const Cost cost = measure([&] {
    Image<float> s(start.view());
    adamax<float>(objective<float>(loss, s.shape(), threads),
                  {s.data(), static_cast<std::size_t>(s.elements())}, settings);
  });
  const auto first = grad(loss, borrow(start, threads));
  save(out_path, std::array{&first.front()});
  std::cout << cost.seconds / kIterations << ' ' << cost.bytes << std::endl;
}

}  // namespace blurfield::bench
