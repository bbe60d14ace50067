// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <fstream>
#include <iostream>
#include <utility>

#include "bench/peers/jobs.h"
#include "bench/peers/machine.h"
#include "blurfield/ops/correlate.h"
#include "blurfield/report/curve.h"

namespace blurfield::bench {

void correlate_job(std::istream& job) {
  Shape image{1, 1, 1, 1};
  Shape bank{1, 1, 1, 1};
  std::string method;
  std::string x_path;
  std::string kernel_path;
  std::string out_path;
  CorrelateOptions options;
  options.extension.mode = Mode::constant;
  job >> image[1] >> image[2] >> image[3] >> bank[0] >> bank[2] >> bank[3] >>
      options.execution.threads >> method >> x_path >> kernel_path >> out_path;
  require(!job.fail(), "ours", "expected correlate C H W K KH KW THREADS METHOD X KERNEL OUT");
  const auto parsed = parse_method(method);
  require(parsed.has_value(), "ours", "no such method: ", method);
  options.method = *parsed;
  bank[1] = image[1];
  const Image<float> x = load(x_path, image);
  const Image<float> kernel = load(kernel_path, bank);
  Image<float> out(correlate_shape(image, bank, options));
  const Cost cost = measure([&] { correlate<float>(x, kernel, out, options); });
  save(out_path, std::array{&std::as_const(out)});
  const CorrelatePlan plan = plan_correlate<float>(image, kernel, options);
  std::cout << cost.seconds << ' ' << cost.bytes << ' ' << method_name(plan.method) << std::endl;
}

void copy_job(std::istream& job) {
  Index floats = 0;
  int threads = 0;
  job >> floats >> threads;
  require(!job.fail(), "ours", "expected copy FLOATS THREADS");
  std::cout << copy_seconds(floats, threads) << std::endl;
}

void plot_job(std::istream& job) {
  std::string points_path;
  std::string out_path;
  job >> points_path >> out_path;
  std::ifstream points(points_path);
  require(points.good(), "ours", "cannot read the points '", points_path, "'");
  report::Axes axes{"", "", 760, 420};
  axes.log_x = axes.log_y = true;
  std::getline(points, axes.x_label);
  std::getline(points, axes.y_label);
  std::vector<report::Curve> curves;
  double x = 0.0;
  double y = 0.0;
  for (std::string name; points >> x >> y && std::getline(points >> std::ws, name);) {
    if (curves.empty() || curves.back().name != name) curves.push_back({name, {}, {}});
    curves.back().broad = name == method_name(ConvolutionMethod::automatic);
    curves.back().x.push_back(x);
    curves.back().y.push_back(y);
  }
  std::ofstream file(out_path);
  file << report::svg_file(report::curve_panel(curves, axes, ""));
  file.close();
  require(file.good(), "ours", out_path, ": cannot be written");
  std::cout << curves.size() << std::endl;
}

}  // namespace blurfield::bench
