// SPDX-License-Identifier: BSD-3-Clause
// blurfield blur: the options, and the work from file to file.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "apps/blur_summary.h"
#include "apps/inputs.h"
#include "apps/pixels.h"
#include "apps/progress.h"
#include "apps/stopwatch.h"
#include "apps/text_file.h"
#include "blurfield/base/random.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::app {
namespace {

// Beyond this many multiply-adds a job needs --force-slow.
constexpr double kSlow = 2e13;
// A cautious speed of one core, multiply-adds per second, for the estimate in that message.
constexpr double kSpeed = 1.5e10;

constexpr const char* kExamples = R"(Examples:
  The same blur everywhere:
    blurfield blur photo.png soft.png --sigma 3
  Along x only (an axis with sigma 0 is left alone):
    blurfield blur photo.png streaks.png --sigma-yx 0 12
  A Gaussian of any orientation, by its covariance in pixels^2 (yy, yx, xx):
    blurfield blur photo.png tilted.png --cov 9 6 16
  A sigma for every pixel, from a depth map whose black is sharp and whose white is 12 pixels wide:
    blurfield blur photo.png portrait.png --sigma-map depth.png --sigma-range 0.5 12
  A FITS frame with its own map in pixels; bad pixels (NaN, or 0 in good.fits) give nothing to the others:
    blurfield blur frame.fits smooth.fits --sigma-map seeing.fits --mask good.fits
  Light mixed as light, not as sRGB numbers, and a page that shows what was done:
    blurfield blur photo.png soft.png --sigma 8 --linear-light --report soft.html)";

template <class T>
struct Job {
  const BlurRequest& request;
  BlurSummary summary;
  io::Picture<T> picture;
  std::vector<double> gaussian;  // of a uniform blur
  Image<T> field;                // of an adaptive one
  Image<T> mask;
  AdaptiveBlurOptions options;
};

AdaptiveBlurOptions blur_options(const BlurRequest& request) {
  AdaptiveBlurOptions options = reach_options(request.gaussian, request.common.threads);
  options.extension = {*parse_mode(request.mode), request.cval};
  return options;
}

template <class T>
void require_affordable(const Job<T>& job) {
  const double taps = job.summary.taps;
  if (taps <= kSlow || job.request.force_slow) return;
  const double minutes = taps / (kSpeed * job.summary.threads) / 60;
  throw Error(
      fmt::format("{}: estimated {:.2g} multiply-adds, about {:.0f} minutes on {} thread{}, "
                  "exceed the limit of {:.2g} (--force-slow runs it)",
                  job.request.in, taps, minutes, job.summary.threads,
                  job.summary.threads == 1 ? "" : "s", kSlow));
}

template <class T>
void load(Job<T>& job) {
  const Stopwatch watch;
  const BlurRequest& request = job.request;
  job.gaussian = uniform_gaussian(request.gaussian);
  job.field = load_field<T>(request.gaussian, job.summary.in);
  job.mask = load_mask<T>(request.mask, job.summary.in);
  job.picture = io::load_picture<T>(request.in);
  job.summary.in = job.picture.info;
  if (job.mask.empty()) {
    require_finite<T>(job.picture.pixels, request.in, "finite pixels (or --mask)");
  }
  if (request.linear_light) require_encoded(job.summary.in);
  job.summary.load_seconds = watch.seconds();
  throw_if_cancelled();
}

template <class T>
Image<T> blur(Job<T>& job, const Image<T>& x) {
  Image<T> out(x.shape());
  Progress progress("blur", job.request.common.quiet);
  job.options.execution.progress = progress.callback();
  const Stopwatch watch;
  if (job.field.empty()) {
    uniform_blur<T>(x, job.gaussian, out, job.options);
  } else {
    adaptive_blur<T>(x, job.field, out, job.options);
  }
  job.summary.blur_seconds = watch.seconds();
  throw_if_cancelled();
  return out;
}

// The blurred pixels in the encoding of the input.
template <class T>
Image<T> process(Job<T>& job) {
  const bool linear = job.request.linear_light;
  const bool alpha = job.picture.alpha;
  Image<T> x(job.picture.pixels.view());
  const Index colours = x.shape()[1] - (alpha ? 1 : 0);
  if (linear) {
    transform<T>(x, colours, srgb_decode);
    job.options.extension.cval = srgb_decode(job.options.extension.cval);
  }
  if (alpha) premultiply<T>(x);
  if (!job.mask.empty()) {
    const Image<T> weighed = blur(job, weigh<T>(x, job.mask));
    divide_by_weight<T>(weighed, Image<T>(x.view()), x);
  } else {
    x = blur(job, x);
  }
  if (alpha) unpremultiply<T>(x);
  if (linear) transform<T>(x, colours, srgb_encode);
  if (job.request.noise > 0) {
    Random random(job.request.seed);
    transform<T>(x, colours, [&](double v) { return v + job.request.noise * random.normal(); });
  }
  return x;
}

template <class T>
void run(const BlurRequest& request, const io::Info& info, const io::SaveOptions& saving) {
  Job<T> job{request, {}, {}, {}, {}, {}, blur_options(request)};
  job.summary.in = info;
  job.summary.out_sample = saving.sample;
  job.summary.threads = thread_limit(job.options.execution);
  load(job);

  Shape shape = job.picture.pixels.shape();
  if (!job.mask.empty()) ++shape[1];
  job.summary.taps = job.field.empty() ? uniform_blur_taps(shape, job.gaussian, job.options)
                                       : adaptive_blur_taps<T>(shape, job.field, job.options);
  require_affordable(job);

  const Image<T> out = process(job);
  const Stopwatch watch;
  io::SaveOptions options = saving;
  options.alpha = job.picture.alpha;
  options.metadata = job.picture.metadata;
  io::save<T>(request.out, out, options);
  job.summary.save_seconds = watch.seconds();
  if (!request.report.empty()) {
    const View<const T> field = job.field.empty() ? View<const T>{} : job.field.view();
    write_text_file(
        request.report,
        report_page<T>(request, job.summary, job.picture.alpha, job.picture.pixels, field, out),
        request.force);
  }
  if (request.common.json) {
    print(summary_json(request, job.summary));
  } else if (!request.common.quiet) {
    print(summary_line(request, job.summary));
  }
}

void start(const BlurRequest& request) {
  const io::Info info = io::probe(request.in);
  const io::SaveOptions saving =
      prepare_saving(request.out, request.bit_depth, request.force, info);
  if (!request.report.empty()) check_can_write(request.report, request.force);
  if (needs_double(info.sample)) {
    run<double>(request, info, saving);
  } else {
    run<float>(request, info, saving);
  }
}

// What CLI11's own rules do not express.
void check_usage(const BlurRequest& request, std::size_t gaussians) {
  if (gaussians != 1) {
    refuse_usage(
        message("expected exactly one of --sigma, --sigma-yx, --sigma-map, --cov, "
                "--logchol-map; got ",
                gaussians));
  }
  if (request.tolerance != 0) {
    refuse_usage(message("--tolerance: only 0 (exact) is available, got ", request.tolerance));
  }
  if (request.gaussian.scatter && !request.gaussian.varies()) {
    refuse_usage(
        "--scatter needs a map: where the Gaussian is the same everywhere it changes nothing");
  }
  if (request.cval != 0 && request.mode != "constant") refuse_usage("--cval needs --mode constant");
  if (request.cval != 0 && !request.mask.empty()) {
    refuse_usage("--cval: with --mask nothing comes from beyond the border of --mode constant");
  }
  if (request.report == request.out || request.report == request.in) {
    refuse_usage("--report: expected a file of its own, got " + request.report);
  }
}

void add_manner(CLI::App& app, BlurRequest& request) {
  const char* group = "Blur";
  add_extension(app, group, request.mode, request.cval);
  add_reach(app, group, request.gaussian.truncate, request.gaussian.radius);
  app.add_flag("--scatter", request.gaussian.scatter,
               "The map's Gaussian belongs to the pixel that light comes from (as an optical point "
               "spread does), not to the pixel where it arrives")
      ->group(group);
  app.add_option("--tolerance", request.tolerance, "Error allowed; only 0 (exact) for now")
      ->type_name("E")
      ->capture_default_str()
      ->group(group);
  app.add_option("--mask", request.mask,
                 "One-channel image of weights m, 0..1 for integers: the result is blur(m x) / "
                 "blur(m), pixels of weight 0 give nothing. NaN and infinite pixels of IN get "
                 "weight 0; a pixel without any weight in reach keeps its value")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--linear-light", request.linear_light,
               "Decode sRGB before and encode after the blur (integer images)")
      ->group(group);
}

void add_output(CLI::App& app, BlurRequest& request) {
  const char* group = "Output";
  add_bit_depth(app, group, request.bit_depth);
  app.add_option("--report", request.report, "Also write a page with inputs, result and timings")
      ->type_name("FILE.html")
      ->group(group);
  app.add_option("--noise", request.noise,
                 "Add white Gaussian noise of this standard deviation to OUT, on the scale of its "
                 "pixels (0..1 for integers): for trials")
      ->type_name("STD")
      ->check(number_not_negative())
      ->group(group);
  app.add_option("--seed", request.seed, "Another seed, other noise")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  app.add_flag("--force", request.force, "Overwrite existing files")->group(group);
  app.add_flag("--force-slow", request.force_slow,
               fmt::format("Run also beyond {:.0e} multiply-adds", kSlow))
      ->group(group);
}

}  // namespace

Command blur_command(CLI::App& app, const std::string& line) {
  auto request = std::make_shared<BlurRequest>();
  request->line = line;
  CLI::App* blur = app.add_subcommand(
      "blur",
      "Blur an image with one Gaussian, or with one of its own for every pixel.\n"
      "Integer images map to 0..1 and back; float images and FITS keep their values. Alpha is\n"
      "blurred premultiplied; every page of a file gets the same blur; profile and metadata stay.");
  blur->add_option("IN", request->in, "Image to blur")->required()->type_name("");
  blur->add_option("OUT", request->out, "Result; the format follows the name")
      ->required()
      ->type_name("");
  add_gaussian(*blur, "Gaussian, in pixels (exactly one)", request->gaussian);
  add_manner(*blur, *request);
  add_output(*blur, *request);
  add_common(*blur, request->common);
  blur->footer(kExamples);
  return {blur, [blur, request] {
            check_usage(*request, count_gaussians(*blur));
            start(*request);
          }};
}

}  // namespace blurfield::app
