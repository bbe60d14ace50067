// SPDX-License-Identifier: BSD-3-Clause
// blurfield blur: the options, and the work from file to file.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "apps/blur/work.h"

namespace blurfield::app {
namespace {

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

// "2000000", "500M", "1.5G".
std::optional<double> parse_bytes(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = text.empty() ? "?" : end;
  const double factor = unit.empty()  ? 1
                        : unit == "K" ? 1e3
                        : unit == "M" ? 1e6
                        : unit == "G" ? 1e9
                        : unit == "T" ? 1e12
                                      : 0;
  const double bytes = number * factor;
  if (!(bytes > 0) || !std::isfinite(bytes)) return std::nullopt;
  return bytes;
}

// What CLI11's own rules do not express.
void check_usage(const BlurRequest& request, std::size_t gaussians) {
  if (gaussians != 1) {
    refuse_usage(
        message("expected exactly one of --sigma, --sigma-yx, --sigma-map, --cov, "
                "--logchol-map; got ",
                gaussians));
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
  add_tolerance(
      app, group, request.gaussian.tolerance,
      "Weights of a Gaussian may be wrong by E in sum, so that pixels in 0..1 are off by no "
      "more: the cost then hardly grows with sigma; 0: exact (default: 0.001 for 8-bit "
      "images, 0.0001 with --linear-light, if that is over twice as fast, and no --mask; "
      "else exact)");
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
  app.add_option_function<std::string>(
         "--memory", [&request](const std::string& text) { request.memory = parse_bytes(text); },
         "Work on as many rows at a time as fit in SIZE bytes, say 500M or 2G; default: 1G, but "
         "all rows at once of files that are not read and written by rows")
      ->type_name("SIZE")
      ->check([](const std::string& text) {
        return parse_bytes(text) ? std::string()
                                 : message("expected bytes, say 500M or 2G, got ", text);
      })
      ->group(group);
  app.add_flag("--force", request.force, "Overwrite existing files")->group(group);
  app.add_flag("--force-slow", request.force_slow, "Run also beyond 2e13 multiply-adds")
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
            blur_file(*request);
          }};
}

}  // namespace blurfield::app
