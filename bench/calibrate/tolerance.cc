// SPDX-License-Identifier: BSD-3-Clause
// Fits the model by which blurs with a tolerance choose their method, and tells how well it
// chooses:
//   blurfield_calibrate_tolerance [--quick]
// Times the exact way, the stack or residual, and auto on fields of one, two and three parameters,
// from smooth to rough, in float and double, on one thread. Prints every case with auto's time over
// the best's, then the fitted constants as C++ for cost.cc. --quick takes fewer cases.
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "bench/calibrate/fit.h"
#include "blurfield/base/random.h"
#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/ops/detail/tolerance/cost.h"
#include "blurfield/ops/detail/tolerance/residual.h"
#include "blurfield/ops/detail/tolerance/stack/plan.h"

namespace {

using blurfield::AdaptiveBlurOptions;
using blurfield::BlurMethod;
using blurfield::Image;
using blurfield::Index;
using blurfield::bench::kTolerated;
using blurfield::bench::summary;
using blurfield::detail::StackNode;
using blurfield::detail::StackTile;
using blurfield::detail::Tile;

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr Index kSide = 480;  // five tiles
constexpr double kPixels = kSide * kSide;

struct Case {
  Index parameters;
  double sigma;    // in the middle; a covariance's minor axis
  double octaves;  // sigmas lie within sigma * 2^(+-octaves)
  bool noise;      // or smooth
  double tolerance;
};

std::string name_of(const Case& c) {
  char text[100];
  std::snprintf(text, sizeof text, "%td parameters, sigma %5.2f +- %.2f octaves %s, %.0e",
                c.parameters, c.sigma, c.octaves, c.noise ? "noise " : "smooth", c.tolerance);
  return text;
}

std::vector<Case> grid(bool quick) {
  std::vector<Case> cases;
  const std::vector<double> tolerances =
      quick ? std::vector<double>{1e-3} : std::vector<double>{1e-2, 1e-3, 1e-5};
  for (const double tolerance : tolerances) {
    for (const Index parameters : {1, 2, 3}) {
      for (const double sigma : {0.4, 0.7, 1.0, 1.5, 2.5, 4.0, 7.0, 16.0}) {
        for (const double octaves : {0.05, 0.5, 1.5}) {
          for (const bool noise : {false, true}) {
            if (quick && octaves < 0.1) continue;
            cases.push_back({parameters, sigma, octaves, noise, tolerance});
          }
        }
      }
    }
  }
  return cases;
}

template <class T>
Image<T> field_of(const Case& c) {
  blurfield::Random random(1);
  Image<T> field({1, c.parameters, kSide, kSide});
  constexpr double kTurn = 2.0 * std::numbers::pi / static_cast<double>(kSide);
  for (Index y = 0; y < kSide; ++y) {
    for (Index x = 0; x < kSide; ++x) {
      const double fy = kTurn * static_cast<double>(y);
      const double fx = kTurn * static_cast<double>(x);
      std::array<double, 3> wave{std::sin(fx + 0.5 * fy), std::cos(1.5 * fy - fx), std::sin(fy)};
      for (double& w : wave) w = c.noise ? random.uniform(-1.0, 1.0) : w;
      std::array<double, 3> theta{c.sigma * std::exp2(c.octaves * wave[0]),
                                  c.sigma * std::exp2(c.octaves * wave[1]), 0.0};
      if (c.parameters == 3) {
        const double minor = theta[0];
        const double major = minor * (1.0 + 1.5 * (1.0 + wave[1]));
        const double cosine = std::cos(3.0 * wave[2]);
        const double sine = std::sin(3.0 * wave[2]);
        theta = blurfield::cov_to_logchol(
            {sine * sine * major * major + cosine * cosine * minor * minor,
             sine * cosine * (major * major - minor * minor),
             cosine * cosine * major * major + sine * sine * minor * minor});
      }
      for (Index k = 0; k < c.parameters; ++k) {
        field.view().at(0, k, y, x) = static_cast<T>(theta[static_cast<std::size_t>(k)]);
      }
    }
  }
  return field;
}

// What the constants of BlurCosts multiply: exact_pixel, exact_tap; tile, node, tap, mix, root,
// level; residual_pixel, residual_tap, level.
constexpr std::size_t kMost = 6;
using Counts = std::array<double, kMost>;

// As plan.cc counts.
void add_stack(const StackTile& tile, const Tile& pixels, const blurfield::detail::Ladder& ladder,
               Counts& counts) {
  const auto height = static_cast<double>(pixels.y.size());
  const auto width = static_cast<double>(pixels.x.size());
  const bool diagonal = !tile.axes[1].nodes.empty();
  const auto taps = [&](const StackNode& node) {
    return 2.0 * ladder.reach * std::sqrt(ladder.residual(node.sigma * node.sigma, node.step)) +
           2.0;
  };
  counts[0] += 1.0;
  for (const StackNode& x : tile.axes[diagonal ? 1 : 0].nodes) {
    counts[1] += 2.0;
    for (const StackNode& y : tile.axes[0].nodes) {
      if (!diagonal && &y != &x) continue;
      const double rows = height / y.step + taps(y);
      counts[2] += rows * width * (taps(x) + 6.0) + height * width * taps(y);
      counts[3] += height * width;
      counts[4] += height * width * static_cast<double>(tile.axes[0].clusters[y.cluster].count);
    }
  }
}

template <class T>
Counts approximate_counts(const Image<T>& image, const AdaptiveBlurOptions& options) {
  const blurfield::detail::Ladder ladder(options.tolerance);
  blurfield::detail::AdaptiveField<T> field{image, &options};
  field.mode = options.extension.mode;
  field.radius = blurfield::detail::RadiusRule::of<T>(options, 2);
  const blurfield::detail::TileSet tiles(kSide, kSide);
  Counts counts{};
  const auto plan = blurfield::adaptive_blur_plan<T>({1, 1, kSide, kSide}, image, options);
  const double levels = static_cast<double>(plan.steps.size()) * kPixels;
  if (image.shape()[1] == 3) {
    counts[0] = kPixels;
    for (const auto& cost : blurfield::detail::residual_tiles(field, 0, ladder)) {
      counts[1] += cost.taps;
    }
    counts[2] = levels;
    return counts;
  }
  const auto stack = blurfield::detail::stack_tiles(field, 0, ladder);
  for (Index i = 0; i < tiles.count(); ++i) {
    add_stack(stack[static_cast<std::size_t>(i)], tiles.tile(i), ladder, counts);
  }
  counts[5] = levels;
  return counts;
}

struct Sample {
  std::string name;
  Index parameters;
  std::array<Counts, 2> counts{};   // exact; stack or residual
  std::array<double, 3> seconds{};  // the same, and auto; infinite where too slow to be timed
  double predicted = 0.0;           // of auto, seconds
  double best() const { return std::min(seconds[0], seconds[1]); }
};

// Of the process, which has one thread: what else runs on the machine does not count.
template <class Work>
double seconds_of(const Work& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// Times the ways in turn: the least of up to 7 rounds that take about 0.15 s.
template <class T>
Sample measure(const Case& c) {
  constexpr double kSlow = 0.15;  // seconds
  AdaptiveBlurOptions options;
  options.tolerance = c.tolerance;
  options.execution.threads = 1;
  const Image<T> field = field_of<T>(c);
  Image<T> x({1, 1, kSide, kSide});
  blurfield::Random random(2);
  for (Index i = 0; i < x.elements(); ++i) x.data()[i] = static_cast<T>(random.uniform());
  Image<T> out(x.shape());
  const std::array methods{BlurMethod::exact,
                           c.parameters == 3 ? BlurMethod::residual : BlurMethod::stack,
                           BlurMethod::automatic};
  Sample sample{name_of(c), c.parameters};
  options.method = methods[1];
  sample.counts[1] = approximate_counts(field, options);
  options.method = BlurMethod::exact;
  sample.counts[0] = {kPixels, blurfield::adaptive_blur_taps<T>(x.shape(), field, options)};
  options.method = BlurMethod::automatic;
  const auto plan = blurfield::adaptive_blur_plan<T>(x.shape(), field, options);
  sample.predicted = plan.seconds;
  sample.seconds.fill(kInfinite);
  double spent = 0.0;
  for (int round = 0; round < 7 && (round < 3 || spent < 0.15); ++round) {
    for (std::size_t m = 0; m < methods.size(); ++m) {
      const double known = m == 0 ? plan.exact_seconds : 0.0;
      if (std::max(known, round > 0 ? sample.seconds[m] : 0.0) > kSlow) continue;
      options.method = methods[m];
      const double time = seconds_of([&] { blurfield::adaptive_blur<T>(x, field, out, options); });
      sample.seconds[m] = std::min(sample.seconds[m], time);
      spent += time;
    }
  }
  return sample;
}

// The constants of one way of fields with so many parameters.
Eigen::VectorXd fit(const std::vector<Sample>& samples, Index parameters, std::size_t way) {
  std::vector<const Sample*> timed;
  for (const Sample& s : samples) {
    if (s.parameters == parameters && std::isfinite(s.seconds[way])) timed.push_back(&s);
  }
  const auto rows = static_cast<Eigen::Index>(timed.size());
  Eigen::MatrixXd counts(rows, static_cast<Eigen::Index>(kMost));
  Eigen::VectorXd weights(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const Sample& s = *timed[static_cast<std::size_t>(i)];
    // What takes long beside the best is never chosen, however well it is predicted.
    weights[i] = s.best() / s.seconds[way];
    for (std::size_t f = 0; f < kMost; ++f) {
      counts(i, static_cast<Eigen::Index>(f)) = s.counts[way][f] / (1e9 * s.seconds[way]);
    }
  }
  return blurfield::bench::fit_constants(counts, weights);
}

void tell(const char* type, const std::vector<Sample>& samples) {
  std::printf(
      "\n%s: milliseconds of exact, stack or residual, auto; auto over the best, and predicted\n",
      type);
  std::vector<double> chosen;
  std::vector<double> beside_exact;
  for (const Sample& s : samples) {
    chosen.push_back(s.seconds[2] / s.best());
    if (std::isfinite(s.seconds[0])) beside_exact.push_back(s.seconds[2] / s.seconds[0]);
    std::printf("%-55s", s.name.c_str());
    for (const double t : s.seconds) std::printf(" %9.3f", 1e3 * t);
    std::printf("  %5.2f  %9.3f%s\n", chosen.back(), 1e3 * s.predicted,
                chosen.back() > kTolerated ? "  *" : "");
  }
  summary("auto over the best    ", chosen);
  summary("auto over exact       ", beside_exact);
}

template <class T>
void calibrate(const char* type, const std::vector<Case>& cases) {
  std::vector<Sample> samples;
  for (const Case& c : cases) {
    samples.push_back(measure<T>(c));
    std::fprintf(stderr, "\r%s %zu of %zu ", type, samples.size(), cases.size());
  }
  std::fprintf(stderr, "\n");
  tell(type, samples);
  for (const Index parameters : {1, 2, 3}) {
    const Eigen::VectorXd exact = fit(samples, parameters, 0);
    const Eigen::VectorXd other = fit(samples, parameters, 1);
    std::printf("%s, %td parameters: .exact_pixel = %.3g, .exact_tap = %.3g", type, parameters,
                exact[0], exact[1]);
    if (parameters == 3) {
      std::printf(", .residual_pixel = %.3g, .residual_tap = %.3g, .level = %.3g\n", other[0],
                  other[1], other[2]);
    } else {
      std::printf(
          ", .tile = %.0f, .node = %.0f, .tap = %.3g, .mix = %.3g, .root = %.3g, "
          ".level = %.3g\n",
          other[0], other[1], other[2], other[3], other[4], other[5]);
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const bool quick = argc == 2 && std::string(argv[1]) == "--quick";
  if (argc > 1 && !quick) {
    std::fprintf(stderr, "usage: blurfield_calibrate_tolerance [--quick]\n");
    return 2;
  }
  const std::vector<Case> cases = grid(quick);
  calibrate<float>("float", cases);
  calibrate<double>("double", cases);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "calibrate: %s\n", error.what());
  return 1;
}
