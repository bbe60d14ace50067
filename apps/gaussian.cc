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

bool normalised(const GaussianRequest& request) { return !request.sigma_range.empty(); }

void require_map(const GaussianRequest& request, const Shape& map, io::Sample sample,
                 const io::Info& in) {
  const std::string& file = request.map();
  const Index channels = map[1];
  if (!request.sigma_map.empty()) {
    if (channels != 1 && channels != 2) {
      fail(file, "expected a sigma map of 1 channel (sigma) or 2 (sigma_y, sigma_x), got {}",
           channels);
    }
  } else if (channels != 3 || !io::is_float(sample)) {
    fail(file, "expected a logchol map of 3 float channels (a, b, c), got {} of {}", channels,
         io::sample_name(sample));
  }
  require_size(map, file, in);
}

template <class T>
void make_field(const GaussianRequest& request, const View<T>& map, const Part& part) {
  const std::string& file = request.map();
  if (request.sigma_map.empty()) return require_finite<T>(map, file, "finite values", part);
  if (normalised(request)) {
    reject<T>(
        map, file, "values within 0..1 for --sigma-range", [](T v) { return !(v >= 0 && v <= 1); },
        part);
    const double low = request.sigma_range[0];
    const double span = request.sigma_range[1] - low;
    transform<T>(map, map.channels(), [&](double v) { return low + span * v; });
  }
  reject<T>(
      map, file, "sigma > 0 and finite", [](T v) { return !(v > 0 && std::isfinite(v)); }, part);
}

template <class T>
Image<T> load_field(const GaussianRequest& request, const io::Info& in) {
  if (!request.varies()) return {};
  io::Picture<T> map = io::load_map<T>(request.map(), normalised(request));
  require_map(request, map.pixels.shape(), map.info.sample, in);
  make_field<T>(request, map.pixels);
  return std::move(map.pixels);
}

AdaptiveBlurOptions reach_options(const GaussianRequest& request, int threads) {
  AdaptiveBlurOptions options;
  options.truncate = request.truncate;
  options.radius = request.radius;
  options.tolerance = request.tolerance.value_or(0.0);
  options.scatter = request.scatter;
  options.execution.threads = threads;
  return options;
}

double hidden_tolerance(const io::Info& in, bool linear_light) {
  // A quarter of a level of 255, and as little after encoding, which is 13 times as steep in the
  // dark.
  constexpr double kUsual = 1e-3;
  constexpr double kLinear = 1e-4;
  if (in.sample != io::Sample::u8) return 0;
  return linear_light ? kLinear : kUsual;
}

double gain_of(const BlurReport& plan) {
  return plan.seconds > 0 ? plan.exact_seconds / plan.seconds : 1.0;
}

Accuracy hidden_if_worthwhile(double tolerance, const io::Info& in, const BlurReport& plan) {
  constexpr double kWorthwhile = 2;
  if (tolerance == 0) {
    return {0, fmt::format("{} samples; --tolerance E is faster", io::sample_name(in.sample))};
  }
  if (plan.truncated) {
    return {0, fmt::format("--truncate or --radius costs more than the {} that 8-bit samples hide",
                           report::number(tolerance))};
  }
  const double gain = gain_of(plan);
  if (gain <= kWorthwhile)
    return {0, "8-bit samples, but a tolerance would be less than twice as fast"};
  return {tolerance, fmt::format("8-bit samples; {:.2g} times faster than exact", gain)};
}

std::string reach_text(const BlurOptions& options) {
  if (!options.radius.empty()) {
    const std::vector<double> radii(options.radius.begin(), options.radius.end());
    return "radius " + list(radii);
  }
  if (options.truncate) return report::number(*options.truncate) + " sigma";
  if (options.tolerance > 0) {
    return fmt::format("where tolerance {} allows", report::number(options.tolerance));
  }
  return report::number(kDefaultTruncate) + " sigma";
}

template void make_field(const GaussianRequest&, const View<float>&, const Part&);
template void make_field(const GaussianRequest&, const View<double>&, const Part&);
template Image<float> load_field(const GaussianRequest&, const io::Info&);
template Image<double> load_field(const GaussianRequest&, const io::Info&);

}  // namespace blurfield::app
