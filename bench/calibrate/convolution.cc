// SPDX-License-Identifier: BSD-3-Clause
// Fits the model by which correlate chooses its method, and tells how well it chooses:
//   blurfield_calibrate_convolution [--quick]
// Times all four methods and auto over a grid of shapes, in float and double, on 1 and 2 threads.
// Prints every shape with the choice and its time over the best method's, first by the constants in
// use, then by those fitted here; then the fitted constants as C++ for cost_model.cc. --quick takes
// a small grid.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "bench/calibrate/fit.h"
#include "blurfield/base/random.h"
#include "blurfield/ops/correlate.h"
#include "blurfield/ops/detail/convolution/cost_model.h"
#include "blurfield/ops/detail/convolution/geometry.h"

namespace {

using blurfield::ConvolutionMethod;
using blurfield::CorrelateOptions;
using blurfield::Image;
using blurfield::Index;
using blurfield::Shape;
using blurfield::View;
using blurfield::bench::kTolerated;
using blurfield::bench::summary;
using blurfield::detail::CostFeatures;
using blurfield::detail::CostModel;
using blurfield::detail::kFeatures;
using blurfield::detail::kMethods;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Case {
  Shape image;
  Shape kernel;
  Index stride = 1;
  Index dilation = 1;
  bool rank_one = false;
};

std::string name_of(const Case& c) {
  std::string name = c.image.text() + " by " + c.kernel.text();
  if (c.stride > 1) name += " stride " + std::to_string(c.stride);
  if (c.dilation > 1) name += " dilation " + std::to_string(c.dilation);
  if (c.rank_one) name += " of rank 1";
  return name;
}

std::vector<Case> grid(bool quick) {
  std::vector<Case> cases;
  const std::vector<Index> sides =
      quick ? std::vector<Index>{512} : std::vector<Index>{64, 512, 2048};
  for (const Index side : sides) {
    const Shape image{1, 1, side, side};
    for (const Index k : {1, 3, 5, 7, 9, 11, 13, 15, 19, 23, 31, 47, 63, 127}) {
      if (k < side) cases.push_back({image, {k, k}});
    }
    for (const Index k : {7, 15, 31, 63}) {
      if (k < side) cases.push_back({image, {k, k}, 1, 1, true});
    }
    for (const Index k : {3, 7, 15, 31}) {
      cases.push_back({image, {k, k}, 2, 1});
      if (2 * k < side) cases.push_back({image, {k, k}, 1, 2});
    }
    cases.push_back({image, {3, 31}});
    cases.push_back({image, {31, 3}});
  }
  // Banks (K, C, k, k), depthwise kernels (C, k, k), and one for all channels.
  for (const Index k : {1, 3, 5, 7, 15}) {
    cases.push_back({{1, 1, 512, 512}, {8, 1, k, k}});
    cases.push_back({{1, 3, 512, 512}, {k, k}});
    if (quick) continue;
    cases.push_back({{1, 8, 256, 256}, {8, 8, k, k}});
    cases.push_back({{1, 32, 128, 128}, {32, 32, k, k}});
    cases.push_back({{4, 3, 128, 128}, {16, 3, k, k}, 2});
    cases.push_back({{1, 16, 256, 256}, {16, k, k}});
  }
  for (const Index k : {5, 33, 257, 2049}) {  // signals
    cases.push_back({{1, 1, 100000}, {k}});
    if (!quick) cases.push_back({{1, 4, 20000}, {4, 4, k}});
  }
  return cases;
}

template <class T>
Image<T> noise(const Shape& shape, std::uint64_t seed) {
  blurfield::Random random(seed);
  Image<T> image(shape);
  for (Index i = 0; i < image.elements(); ++i) image.data()[i] = static_cast<T>(random.normal());
  return image;
}

template <class T>
Image<T> kernel_of(const Case& c) {
  Image<T> kernel = noise<T>(c.kernel, 2);
  if (!c.rank_one) return kernel;
  const Index width = c.kernel[1];
  for (Index i = kernel.elements() - 1; i >= width; --i) {
    kernel.data()[i] = kernel.data()[i / width * width] * kernel.data()[i % width];
  }
  return kernel;
}

// The reduced job, as correlate makes it; without pixels.
template <class T>
blurfield::detail::Correlation<T> job_of(const Case& c, const CorrelateOptions& options) {
  const int axes = c.image.rank() - 2;
  const int leading = c.kernel.rank() - axes;
  std::vector<Index> window;
  for (int axis = leading; axis < c.kernel.rank(); ++axis) window.push_back(c.kernel[axis]);
  const auto geometry =
      blurfield::detail::correlate_geometry("calibrate", c.image, window, options);
  const Index channels = c.image[1];
  Shape kernels{channels, 1, 1, geometry.y.taps, geometry.x.taps};
  if (leading == 2) kernels = {1, c.kernel[0], channels, geometry.y.taps, geometry.x.taps};
  blurfield::detail::Correlation<T> job{};
  job.x = View<const T>(nullptr, c.image);
  job.kernels = View<const T>(nullptr, kernels);
  if (leading == 0) job.kernels.stride[0] = 0;
  job.out =
      View<T>(nullptr, blurfield::detail::output_shape(c.image, kernels[0] * kernels[1], geometry));
  job.y_axis = geometry.y;
  job.x_axis = geometry.x;
  return job;
}

struct Sample {
  std::string name;
  int threads = 1;
  std::array<CostFeatures, kMethods> features{};
  std::array<double, kMethods> seconds{};  // infinite where it was too slow to be timed
  double automatic = 0.0;                  // seconds
  std::size_t choice = 0;                  // of the model in use

  double best() const { return *std::min_element(seconds.begin(), seconds.end()); }
};

template <class Work>
double seconds_of(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Times methods and auto in turn: the least of up to 15 rounds that take about 0.3 s.
template <class T>
Sample measure(const Case& c, int threads) {
  CorrelateOptions options;
  options.extension.mode = blurfield::Mode::constant;
  if (c.stride > 1) options.stride = {c.stride};
  if (c.dilation > 1) options.dilation = {c.dilation};
  options.execution.threads = threads;
  const Image<T> x = noise<T>(c.image, 1);
  const Image<T> kernel = kernel_of<T>(c);
  Image<T> out(correlate_shape(c.image, c.kernel, options));
  Sample sample{name_of(c), threads};
  options.method = ConvolutionMethod::separable;
  const int rank = blurfield::plan_correlate<T>(c.image, kernel, options).rank;
  options.method = ConvolutionMethod::automatic;
  const auto plan = blurfield::plan_correlate<T>(c.image, kernel, options);
  sample.choice = static_cast<std::size_t>(plan.method) - 1;
  const auto job = job_of<T>(c, options);
  std::array<double, kMethods> predicted{};
  for (std::size_t m = 0; m < kMethods; ++m) {
    sample.features[m] = blurfield::detail::cost_features(job, m, rank);
    predicted[m] = blurfield::detail::predicted_seconds(job, m, rank);
  }
  const double least = *std::min_element(predicted.begin(), predicted.end());
  std::array<double, kMethods + 1> seconds{};  // auto first
  seconds.fill(kInfinite);
  double spent = 0.0;
  for (int round = 0; round < 15 && (round < 3 || spent < 0.3); ++round) {
    for (std::size_t m = 0; m <= kMethods; ++m) {
      if (m > 0 && predicted[m - 1] > std::max(0.3, 5 * least)) continue;
      options.method = static_cast<ConvolutionMethod>(m);
      const double time = seconds_of([&] { blurfield::correlate<T>(x, kernel, out, options); });
      seconds[m] = std::min(seconds[m], time);
      spent += time;
    }
  }
  sample.automatic = seconds[0];
  std::copy(seconds.begin() + 1, seconds.end(), sample.seconds.begin());
  return sample;
}

// The constants of one method.
CostFeatures fit_method(const std::vector<Sample>& samples, std::size_t method) {
  std::vector<const Sample*> timed;
  for (const Sample& s : samples) {
    if (s.threads == 1 && std::isfinite(s.seconds[method])) timed.push_back(&s);
  }
  const auto rows = static_cast<Eigen::Index>(timed.size());
  Eigen::MatrixXd counts(rows, static_cast<Eigen::Index>(kFeatures));  // over nanoseconds
  Eigen::VectorXd weights(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const Sample& s = *timed[static_cast<std::size_t>(i)];
    const double nanoseconds = 1e9 * s.seconds[method];
    // What takes long beside the best is never chosen, however well it is predicted.
    weights[i] = s.best() / s.seconds[method];
    for (std::size_t f = 0; f < kFeatures; ++f) {
      counts(i, static_cast<Eigen::Index>(f)) = s.features[method][f] / nanoseconds;
    }
  }
  const Eigen::VectorXd c = blurfield::bench::fit_constants(counts, weights);
  CostFeatures constants{};
  std::copy(c.begin(), c.end(), constants.begin());
  return constants;
}

std::size_t choice_of(const CostModel& model, const Sample& s) {
  std::array<double, kMethods> predicted{};
  for (std::size_t m = 0; m < kMethods; ++m) {
    for (std::size_t f = 0; f < kFeatures; ++f) {
      predicted[m] += model.nanoseconds[m][f] * s.features[m][f];
    }
  }
  return static_cast<std::size_t>(std::min_element(predicted.begin(), predicted.end()) -
                                  predicted.begin());
}

std::string method_text(std::size_t m) {
  return std::string(method_name(static_cast<ConvolutionMethod>(m + 1)));
}

void tell(const char* type, const std::vector<Sample>& samples, const CostModel& fitted) {
  std::printf(
      "\n%s: milliseconds of direct, separable, gemm, fft, auto; choice and its time over "
      "the best, in use and fitted\n",
      type);
  std::array<std::vector<double>, 3> ratios;
  for (const Sample& s : samples) {
    const std::size_t other = choice_of(fitted, s);
    ratios[0].push_back(s.seconds[s.choice] / s.best());
    ratios[1].push_back(s.automatic / s.best());
    ratios[2].push_back(s.seconds[other] / s.best());
    std::printf("%d thread(s) %-52s", s.threads, s.name.c_str());
    for (const double t : s.seconds) std::printf(" %9.3f", 1e3 * t);
    std::printf(" %9.3f  %-9s %5.2f  %-9s %5.2f%s\n", 1e3 * s.automatic,
                method_text(s.choice).c_str(), ratios[0].back(), method_text(other).c_str(),
                ratios[2].back(), ratios[0].back() > kTolerated ? "  *" : "");
  }
  summary("choice of the constants in use", ratios[0]);
  summary("auto as timed, over the best  ", ratios[1]);
  summary("choice of the constants fitted", ratios[2]);
}

void print(const char* name, const CostModel& model) {
  std::printf("\nconstexpr CostModel %s{{{", name);
  for (std::size_t m = 0; m < kMethods; ++m) {
    std::printf("%s{", m > 0 ? ",\n    " : "");
    for (std::size_t f = 0; f < kFeatures; ++f) {
      std::printf("%s%.3g", f > 0 ? ", " : "", model.nanoseconds[m][f]);
    }
    std::printf("}");
  }
  std::printf("}}};\n");
}

template <class T>
CostModel calibrate(const char* type, const std::vector<Case>& cases) {
  std::vector<Sample> samples;
  for (const Case& c : cases) {
    for (const int threads : {1, 2}) samples.push_back(measure<T>(c, threads));
    std::fprintf(stderr, "\r%s %zu of %zu ", type, samples.size() / 2, cases.size());
  }
  std::fprintf(stderr, "\n");
  CostModel fitted{};
  for (std::size_t m = 0; m < kMethods; ++m) fitted.nanoseconds[m] = fit_method(samples, m);
  tell(type, samples, fitted);
  return fitted;
}

}  // namespace

int main(int argc, char** argv) try {
  const bool quick = argc == 2 && std::string(argv[1]) == "--quick";
  if (argc > 1 && !quick) {
    std::fprintf(stderr, "usage: blurfield_calibrate_convolution [--quick]\n");
    return 2;
  }
  const std::vector<Case> cases = grid(quick);
  const CostModel single = calibrate<float>("float", cases);
  const CostModel precise = calibrate<double>("double", cases);
  print("kFloat", single);
  print("kDouble", precise);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "calibrate: %s\n", error.what());
  return 1;
}
