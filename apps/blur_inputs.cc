// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur_inputs.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/inputs.h"
#include "apps/pixels.h"
#include "blurfield/ops/covariance.h"

namespace blurfield::app {
namespace {

template <class... Args>
[[noreturn]] void fail(const std::string& file, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(file + ": " + fmt::format(text, std::forward<Args>(args)...));
}

template <class T>
Image<T> load_sigma_map(const BlurRequest& request, const io::Info& in) {
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

}  // namespace

std::vector<double> uniform_gaussian(const BlurRequest& request) {
  const auto widths = [](const char* option, std::vector<double> sigmas, bool zero) {
    for (const double s : sigmas) {
      if (!std::isfinite(s) || s < 0 || (s == 0 && !zero)) {
        fail(option, "expected sigma {} 0 and finite, got {}", zero ? ">=" : ">", s);
      }
    }
    return sigmas;
  };
  if (request.has_sigma) return widths("--sigma", {request.sigma}, false);
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
Image<T> load_field(const BlurRequest& request, const io::Info& in) {
  if (!request.sigma_map.empty()) return load_sigma_map<T>(request, in);
  if (!request.logchol_map.empty()) return load_logchol_map<T>(request.logchol_map, in);
  return {};
}

AdaptiveBlurOptions blur_options(const BlurRequest& request) {
  AdaptiveBlurOptions options;
  options.extension = {*parse_mode(request.mode), request.cval};
  options.truncate = request.truncate;
  options.radius = request.radius;
  options.scatter = request.scatter;
  options.execution.threads = request.common.threads;
  return options;
}

template Image<float> load_field(const BlurRequest&, const io::Info&);
template Image<double> load_field(const BlurRequest&, const io::Info&);

}  // namespace blurfield::app
