// SPDX-License-Identifier: BSD-3-Clause
// The Gaussian of a blur as the command line names it: one for the image, or a map; its files are
// loaded and checked so that every error names its file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pixels.h"
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
  std::optional<double> truncate;   // empty: BlurOptions::truncate
  std::vector<int> radius;          // empty, (r) or (ry, rx)
  std::optional<double> tolerance;  // empty: the command's choice
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

// A map's file as load_map reads it, in parts: whether its values are to be divided by their
// largest, Error unless its shape and samples are right, and its values as a field, checked.
bool normalised(const GaussianRequest& request);
void require_map(const GaussianRequest& request, const Shape& map, io::Sample sample,
                 const io::Info& in);
template <class T>
void make_field(const GaussianRequest& request, const View<T>& map, const Part& part = {});

// The sigma or logchol map, (1, 1 | 2 | 3, H, W) in pixels, of the image's size; empty without one.
template <class T>
Image<T> load_field(const GaussianRequest& request, const io::Info& in);

// How a uniform or varying Gaussian is applied, but for what stands beyond the border. Exact
// without a tolerance.
AdaptiveBlurOptions reach_options(const GaussianRequest& request, int threads);

// How accurate blurs are: BlurOptions::tolerance, and "8-bit samples; 12 times faster than exact".
struct Accuracy {
  double tolerance = 0;
  std::string why;
};

// A tolerance that the image's samples hide; 0 where they hide none.
double hidden_tolerance(const io::Info& in, bool linear_light);
// How much faster than an exact blur `plan` is, by its model.
double gain_of(const BlurReport& plan);
// That tolerance if `plan`, made with it, is over twice as fast as an exact blur; else 0.
Accuracy hidden_if_worthwhile(double tolerance, const io::Info& in, const BlurReport& plan);

// Where its kernels end: "4 sigma", "radius 5, 7", "where tolerance 0.001 allows".
std::string reach_text(const BlurOptions& options);

}  // namespace blurfield::app
