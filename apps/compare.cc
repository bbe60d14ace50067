// SPDX-License-Identifier: BSD-3-Clause
// blurfield compare: PSNR, SSIM, RMS and maximum error of two images.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/inputs.h"
#include "apps/progress.h"
#include "apps/quality.h"
#include "apps/text_file.h"
#include "blurfield/report/colour_map.h"

namespace blurfield::app {
namespace {

struct CompareRequest {
  std::string a;
  std::string b;
  std::string map;
  double data_range = 1;
  bool force = false;
  Common common;
};

constexpr const char* kExamples = R"(Examples:
  blurfield compare original.png blurred.png
  blurfield compare original.png blurred.png --map error.png      where they differ, black to white
  blurfield compare a.fits b.fits --data-range 4096               values from 0 to 4096
  blurfield compare a.png b.png --json | jq .psnr                 null for equal images (infinite))";

io::SaveOptions map_options(const CompareRequest& request) {
  io::SaveOptions options;
  options.sample = io::Sample::u8;
  options.overwrite = request.force;
  return options;
}

io::Picture<double> load(const std::string& file) {
  io::Picture<double> picture = io::load_picture<double>(file);
  if (const auto place =
          find_pixel<double>(picture.pixels.view(), [](double v) { return !std::isfinite(v); })) {
    throw Error(message(file, ": expected finite pixels, got ",
                        picture.pixels.view().at(place->n, place->c, place->y, place->x), " at ",
                        place->text(picture.pixels.shape())));
  }
  return picture;
}

// The greatest error over the channels of every pixel, painted; the greatest of all is white.
void save_map(const CompareRequest& request, const View<const double>& a,
              const View<const double>& b, double max_error) {
  Image<float> errors({a.batch(), 1, a.height(), a.width()});
  Image<float> painted({a.batch(), 3, a.height(), a.width()});
  for (Index n = 0; n < a.batch(); ++n) {
    for (Index y = 0; y < a.height(); ++y) {
      for (Index x = 0; x < a.width(); ++x) {
        double most = 0;
        for (Index c = 0; c < a.channels(); ++c) {
          most = std::max(most, std::abs(a.at(n, c, y, x) - b.at(n, c, y, x)));
        }
        errors.view().at(n, 0, y, x) = static_cast<float>(most);
      }
    }
    const Image<float> page =
        report::paint(errors.view(), report::ColourMap::magma, {0, max_error}, n);
    std::copy_n(page.data(), page.elements(), painted.view().row(n, 0, 0));
  }
  io::save<float>(request.map, painted, map_options(request));
}

std::string as_text(const Quality& quality, const Shape& shape) {
  return fmt::format(
      "PSNR       {}\nSSIM       {}\nRMS error  {:.6g}\nmax error  {:.6g}{}\n",
      std::isinf(quality.psnr) ? "inf (equal)" : fmt::format("{:.4f} dB", quality.psnr),
      quality.ssim ? fmt::format("{:.6f}", *quality.ssim) : "none (needs 11 x 11 pixels)",
      quality.rms, quality.max_error,
      quality.max_error > 0 ? " at " + quality.max_place.text(shape) : "");
}

std::string as_json(const CompareRequest& request, const Quality& quality) {
  nlohmann::ordered_json json = {{"command", "compare"}, {"a", request.a}, {"b", request.b}};
  json["equal"] = quality.max_error == 0;
  json["psnr"] = quality.psnr;  // null where infinite
  json["ssim"] = quality.ssim ? nlohmann::ordered_json(*quality.ssim) : nullptr;
  json["rms"] = quality.rms;
  json["max_error"] = quality.max_error;
  const Place& place = quality.max_place;
  json["max_error_at"] = {{"y", place.y}, {"x", place.x}, {"channel", place.c}, {"page", place.n}};
  json["data_range"] = request.data_range;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void compare(const CompareRequest& request) {
  const io::Info info = io::probe(request.a);
  if (!request.map.empty()) {
    require_new(request.map, request.force);
    io::check_can_save(request.map, map_options(request), 3, info.pages);
  }
  const io::Picture<double> a = load(request.a);
  const io::Picture<double> b = load(request.b);
  require_same_shape(a.pixels.shape(), request.a, b.pixels.shape(), request.b);
  Execution execution;
  execution.threads = request.common.threads;
  execution.progress = [](double) { return cancelling_signal() == 0; };
  const Quality quality = measure_quality(a.pixels, b.pixels, request.data_range, execution);
  if (!request.map.empty()) save_map(request, a.pixels, b.pixels, quality.max_error);
  if (request.common.json) {
    print(as_json(request, quality));
  } else if (!request.common.quiet) {
    print(as_text(quality, a.pixels.shape()));
  }
}

}  // namespace

Command compare_command(CLI::App& app) {
  auto request = std::make_shared<CompareRequest>();
  CLI::App* sub = app.add_subcommand(
      "compare",
      "Compare two images of one size: PSNR, SSIM, RMS and maximum error.\n"
      "SSIM has an 11 x 11 Gaussian window and is the mean of the channels. Integer images map to\n"
      "0..1; float images and FITS keep their values.");
  sub->add_option("A", request->a, "Image")->required()->type_name("");
  sub->add_option("B", request->b, "Image to compare with it")->required()->type_name("");
  sub->add_option("--map", request->map, "Also write a picture of the errors, black to white")
      ->type_name("OUT");
  sub->add_option("--data-range", request->data_range,
                  "Greatest possible difference of two pixels, for PSNR and SSIM")
      ->type_name("R")
      ->check(positive_number())
      ->capture_default_str();
  sub->add_flag("--force", request->force, "Overwrite an existing OUT");
  add_common(*sub, request->common);
  sub->footer(kExamples);
  return {sub, [request] { compare(*request); }};
}

}  // namespace blurfield::app
