// SPDX-License-Identifier: BSD-3-Clause
// The Gaussian of a blur as the command line names it: one for the image, or a map; its files are
// loaded and checked so that every error names its file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"
#include "blurfield/ops/adaptive_blur.h"

namespace CLI {
class App;
}

namespace blurfield::app {

struct GaussianRequest {
  // At most one of these five.
  std::optional<double> sigma;
  std::vector<double> sigma_yx;
  std::vector<double> cov;
  std::string sigma_map;
  std::string logchol_map;

  std::vector<double> sigma_range;  // empty: a map's values are pixels
  double truncate = 4;
  std::vector<int> radius;  // empty, (r) or (ry, rx)
  bool scatter = false;

  const std::string& map() const { return sigma_map.empty() ? logchol_map : sigma_map; }
  bool varies() const { return !map().empty(); }
  std::string kind() const;  // "sigma", "sigma-yx", "cov", "sigma-map", "logchol-map"
  std::string text() const;  // "sigma 3 px", "map.tif, range 1, 9 px, gathered"
};

// Declares the options that name a Gaussian; of them `count_gaussians` were given.
void add_gaussian(CLI::App& app, const char* group, GaussianRequest& request);
std::size_t count_gaussians(const CLI::App& app);

// The parameters of a uniform blur (see uniform_blur.h), empty where none was asked for.
std::vector<double> uniform_gaussian(const GaussianRequest& request);

// The sigma or logchol map, (1, 1 | 2 | 3, H, W) in pixels, of the image's size; empty without one.
template <class T>
Image<T> load_field(const GaussianRequest& request, const io::Info& in);

// How a uniform or varying Gaussian is applied, but for what stands beyond the border.
AdaptiveBlurOptions reach_options(const GaussianRequest& request, int threads);

}  // namespace blurfield::app
