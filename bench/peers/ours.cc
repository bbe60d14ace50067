// SPDX-License-Identifier: BSD-3-Clause
// Our side of a comparison. Reads one job per line, runs it and answers with one line, so that
// run.py can alternate between this process and a peer:
//   uniform  H W THREADS SIGMA X OUT                    -> seconds bytes
//   adaptive H W THREADS CHANNELS TRUNCATE RADIUS GRADIENT X FIELD OUT
//                                                       -> seconds bytes
//   peak                                                -> GFLOP/s target
// X, FIELD, OUT are files of float32, row-major. RADIUS 0 leaves it to TRUNCATE. With GRADIENT 1
// the vjp by image and field is timed too, its cotangent is the output, and OUT holds output,
// grad_x and grad_field. `bytes` is how far memory in use rose above inputs and outputs.
#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include "bench/peers/fma_peak.h"
#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/uniform_blur.h"

namespace {

using blurfield::Image;
using blurfield::Index;

Image<float> load(const std::string& path, const blurfield::Shape& shape) {
  Image<float> image(shape);
  std::ifstream file(path, std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(image.elements() * Index{sizeof(float)});
  file.read(reinterpret_cast<char*>(image.data()), bytes);
  blurfield::require(file.gcount() == bytes, "ours", path, ": expected ", bytes, " bytes");
  return image;
}

struct Cost {
  double seconds;
  double bytes;  // how far memory in use rose
};

// Writes the results, then answers: who reads the answer finds the file complete.
void answer(const Cost& cost, const std::string& path,
            std::span<const Image<float>* const> images) {
  std::ofstream file(path, std::ios::binary);
  for (const Image<float>* image : images) {
    file.write(reinterpret_cast<const char*>(image->data()),
               static_cast<std::streamsize>(image->elements() * Index{sizeof(float)}));
  }
  file.close();
  blurfield::require(file.good(), "ours", path, ": cannot be written");
  std::cout << cost.seconds << ' ' << cost.bytes << std::endl;
}

// A line of /proc/self/status, in bytes.
double memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) * 1024.0;
  }
  throw blurfield::Error("ours: no " + name + " in /proc/self/status");
}

// Like run.py's timed(): once to warm up, then the median of three.
template <class Work>
Cost measure(const Work& work) {
  std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM starts anew from VmRSS
  const double before = memory("VmRSS");
  work();
  const double risen = memory("VmHWM") - before;
  std::array<double, 3> seconds{};
  for (double& time : seconds) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    time = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds[1], risen};
}

void uniform(std::istream& job) {
  Index height = 0;
  Index width = 0;
  int threads = 0;
  double sigma = 0.0;
  std::string x_path;
  std::string out_path;
  job >> height >> width >> threads >> sigma >> x_path >> out_path;
  blurfield::require(!job.fail(), "ours", "expected uniform H W THREADS SIGMA X OUT");
  const Image<float> x = load(x_path, {1, 1, height, width});
  Image<float> out(x.shape());
  blurfield::BlurOptions options;
  options.execution.threads = threads;
  const Cost cost =
      measure([&] { blurfield::uniform_blur<float>(x, std::span(&sigma, 1), out, options); });
  answer(cost, out_path, std::array{&std::as_const(out)});
}

void adaptive(std::istream& job) {
  Index height = 0;
  Index width = 0;
  Index channels = 0;
  int radius = 0;
  bool gradient = false;
  std::string x_path;
  std::string field_path;
  std::string out_path;
  blurfield::AdaptiveBlurOptions options;
  options.extension.mode = blurfield::Mode::constant;
  job >> height >> width >> options.execution.threads >> channels >> options.truncate >> radius >>
      gradient >> x_path >> field_path >> out_path;
  blurfield::require(!job.fail(), "ours", "expected adaptive H W THREADS CHANNELS TRUNCATE RADIUS ",
                     "GRADIENT X FIELD OUT");
  if (radius > 0) options.radius = {radius};
  const Image<float> x = load(x_path, {1, 1, height, width});
  const Image<float> field = load(field_path, {1, channels, height, width});
  Image<float> out(x.shape());
  Image<float> grad_x(x.shape());
  Image<float> grad_field(field.shape());
  const Cost cost = measure([&] {
    blurfield::adaptive_blur<float>(x, field, out, options);
    if (!gradient) return;
    blurfield::adaptive_blur_vjp<float>(x, field, out, grad_x, grad_field, options);
  });
  const std::array<const Image<float>*, 3> results{&out, &grad_x, &grad_field};
  answer(cost, out_path, std::span(results).first(gradient ? 3 : 1));
}

}  // namespace

int main() {
  try {
    std::string line;
    while (std::getline(std::cin, line)) {
      std::istringstream job(line);
      std::string name;
      job >> name;
      if (name == "uniform") {
        uniform(job);
      } else if (name == "adaptive") {
        adaptive(job);
      } else if (name == "peak") {
        std::cout << blurfield::bench::fma_peak() << ' ' << blurfield::bench::simd_target()
                  << std::endl;
      } else {
        throw blurfield::Error("ours: expected uniform, adaptive or peak, got '" + name + "'");
      }
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
