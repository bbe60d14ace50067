// SPDX-License-Identifier: BSD-3-Clause
#include "apps/gaussian.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>

#include "apps/inputs.h"
#include "apps/pixels.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

template <class... Args>
[[noreturn]] void fail(const std::string& file, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(file + ": " + fmt::format(text, std::forward<Args>(args)...));
}

template <class T>
Image<T> load_sigma_map(const GaussianRequest& request, const io::Info& in) {
  const std::string& file = request.sigma_map;
  const bool ranged = !request.sigma_range.empty();
  io::Picture<T> map = io::load_map<T>(file, ranged);
  const Index channels = map.pixels.shape()[1];
  if (channels != 1 && channels != 2) {
    fail(file, "expected a sigma map of 1 channel (sigma) or 2 (sigma_y, sigma_x), got {}",
         channels);
  }
  require_size<T>(map.pixels, file, in);
  if (ranged) {
    reject<T>(map.pixels, file, "values within 0..1 for --sigma-range",
              [](T v) { return !(v >= 0 && v <= 1); });
    const double low = request.sigma_range[0];
    const double span = request.sigma_range[1] - low;
    transform<T>(map.pixels, channels, [&](double v) { return low + span * v; });
  }
  reject<T>(map.pixels, file, "sigma > 0 and finite",
            [](T v) { return !(v > 0 && std::isfinite(v)); });
  return std::move(map.pixels);
}

template <class T>
Image<T> load_logchol_map(const std::string& file, const io::Info& in) {
  io::Picture<T> map = io::load_map<T>(file, false);
  const Index channels = map.pixels.shape()[1];
  if (channels != 3 || !io::is_float(map.info.sample)) {
    fail(file, "expected a logchol map of 3 float channels (a, b, c), got {} of {}", channels,
         io::sample_name(map.info.sample));
  }
  require_size<T>(map.pixels, file, in);
  reject<T>(map.pixels, file, "finite values", [](T v) { return !std::isfinite(v); });
  return std::move(map.pixels);
}

std::string list(const std::vector<double>& values) {
  std::string text;
  for (const double v : values) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", report::number(v));
  }
  return text;
}

constexpr const char* kOptions[] = {"--sigma", "--sigma-yx", "--cov", "--sigma-map",
                                    "--logchol-map"};

}  // namespace

std::string GaussianRequest::kind() const {
  if (sigma) return "sigma";
  if (!sigma_yx.empty()) return "sigma-yx";
  if (!cov.empty()) return "cov";
  return sigma_map.empty() ? "logchol-map" : "sigma-map";
}

std::string GaussianRequest::text() const {
  if (sigma) return "sigma " + report::number(*sigma) + " px";
  if (!sigma_yx.empty()) return "sigma (y, x) = (" + list(sigma_yx) + ") px";
  if (!cov.empty()) return "covariance (yy, yx, xx) = (" + list(cov) + ") px^2";
  const std::string range = sigma_range.empty() ? "" : ", range " + list(sigma_range) + " px";
  return map() + range + (scatter ? ", scattered" : ", gathered");
}

void add_gaussian(CLI::App& app, const char* group, GaussianRequest& request) {
  app.add_option("--sigma", request.sigma, "Standard deviation")->type_name("S")->group(group);
  app.add_option("--sigma-yx", request.sigma_yx,
                 "One along y and one along x; 0 leaves an axis alone")
      ->type_name("SY SX")
      ->expected(2)
      ->group(group);
  app.add_option("--cov", request.cov, "Covariance matrix, in pixels^2")
      ->type_name("YY YX XX")
      ->expected(3)
      ->group(group);
  auto* map = app.add_option("--sigma-map", request.sigma_map,
                             "Image with sigma of every pixel (two channels: sigma_y, sigma_x); "
                             "values are pixels, unless:")
                  ->type_name("FILE")
                  ->group(group);
  app.add_option("--sigma-range", request.sigma_range,
                 "Black of the sigma map is LO, white (1.0 in a float map) is HI")
      ->type_name("LO HI")
      ->expected(2)
      ->needs(map)
      ->group(group);
  app.add_option("--logchol-map", request.logchol_map,
                 "Float image with three channels a, b, c of U = [[e^a, b], [0, e^c]]; "
                 "the covariance in (y, x) order is U^T U")
      ->type_name("FILE")
      ->group(group);
}

std::size_t count_gaussians(const CLI::App& app) {
  std::size_t count = 0;
  for (const char* option : kOptions) count += app.count(option) > 0 ? 1 : 0;
  return count;
}

std::vector<double> uniform_gaussian(const GaussianRequest& request) {
  const auto widths = [](const char* option, std::vector<double> sigmas, bool zero) {
    for (const double s : sigmas) {
      if (!std::isfinite(s) || s < 0 || (s == 0 && !zero)) {
        fail(option, "expected sigma {} 0 and finite, got {}", zero ? ">=" : ">", s);
      }
    }
    return sigmas;
  };
  if (request.sigma) return widths("--sigma", {*request.sigma}, false);
  if (!request.sigma_yx.empty()) return widths("--sigma-yx", request.sigma_yx, true);
  if (request.cov.empty()) return {};
  const double yy = request.cov[0];
  const double yx = request.cov[1];
  const double xx = request.cov[2];
  if (!std::isfinite(yy + yx + xx) || !(yy > 0 && yy * xx - yx * yx > 0)) {
    fail("--cov", "expected a positive definite matrix, YY > 0 and YY XX > YX^2, got {} {} {}", yy,
         yx, xx);
  }
  const Logchol logchol = cov_to_logchol(Cov{yy, yx, xx});
  return {logchol.begin(), logchol.end()};
}

template <class T>
Image<T> load_field(const GaussianRequest& request, const io::Info& in) {
  if (!request.sigma_map.empty()) return load_sigma_map<T>(request, in);
  if (!request.logchol_map.empty()) return load_logchol_map<T>(request.logchol_map, in);
  return {};
}

AdaptiveBlurOptions reach_options(const GaussianRequest& request, int threads) {
  AdaptiveBlurOptions options;
  options.truncate = request.truncate;
  options.radius = request.radius;
  options.scatter = request.scatter;
  options.execution.threads = threads;
  return options;
}

template Image<float> load_field(const GaussianRequest&, const io::Info&);
template Image<double> load_field(const GaussianRequest&, const io::Info&);

}  // namespace blurfield::app
