// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/survey.h"

#include <algorithm>
#include <cmath>

#include "apps/progress.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::app {
namespace {

// Adds the plan of a part that is `share` of the whole.
void add(BlurReport& whole, const BlurReport& part, double share) {
  whole.nodes = whole.stack * whole.nodes + part.stack * share * part.nodes;
  whole.exact += share * part.exact;
  whole.stack += share * part.stack;
  whole.residual += share * part.residual;
  if (whole.stack > 0) whole.nodes /= whole.stack;
  whole.steps.insert(whole.steps.end(), part.steps.begin(), part.steps.end());
  std::sort(whole.steps.begin(), whole.steps.end());
  whole.steps.erase(std::unique(whole.steps.begin(), whole.steps.end()), whole.steps.end());
  whole.error_bound = std::max(whole.error_bound, part.error_bound);
  whole.truncated = whole.truncated || part.truncated;
  whole.bytes = std::max(whole.bytes, part.bytes);
  whole.seconds += part.seconds;
  whole.exact_seconds += part.exact_seconds;
}

template <class T>
double largest_along_y(const View<const T>& field) {
  double largest = 0;
  for (Index y = 0; y < field.height(); ++y) {
    const T* row = field.row(0, 0, y);
    const auto value = static_cast<double>(*std::max_element(row, row + field.width()));
    largest = std::max(largest, field.channels() == 3 ? std::exp(value) : value);
  }
  return largest;
}

template <class T>
Survey survey_uniform(const std::vector<double>& gaussian, const Shape& blurred,
                      const BlurOptions& options) {
  Survey found;
  found.sigma = gaussian.size() == 3 ? std::exp(gaussian[0]) : gaussian[0];
  found.taps = uniform_blur_taps(blurred, gaussian, options);
  found.plan = uniform_blur_plan<T>(blurred, gaussian, options);
  found.work_bytes = [=](Index rows) {
    const Shape band{1, blurred[1], rows, blurred[3]};
    return static_cast<double>(uniform_blur_plan<T>(band, gaussian, options).bytes);
  };
  return found;
}

}  // namespace

template <class T>
Survey survey(const BlurRequest& request, BandInputs<T>& inputs,
              const std::vector<double>& gaussian, const Shape& blurred, Index rows,
              const AdaptiveBlurOptions& options) {
  if (!inputs.map) return survey_uniform<T>(gaussian, blurred, options);
  const Shape& map = inputs.map->shape();
  const Index height = map[2];
  Survey found;
  found.plan.exact = 0;
  double row_bytes = 0;
  Image<T> buffer = Image<T>::uninitialised({1, map[1], std::min(rows, height), map[3]});
  Progress progress("map", request.common.quiet);
  for (Index y = 0; y < height; y += rows) {
    View<T> field = buffer;
    field.shape[2] = std::min(rows, height - y);
    inputs.map->read(0, y, field);
    make_field<T>(request.gaussian, field, {0, y, map});
    found.sigma = std::max(found.sigma, largest_along_y<T>(field));
    Shape band = blurred;
    band[2] = field.height();
    found.taps += adaptive_blur_taps<T>(band, field, options);
    const BlurReport plan = adaptive_blur_plan<T>(band, field, options);
    const auto share = static_cast<double>(band[2]) / static_cast<double>(height);
    add(found.plan, plan, share);
    row_bytes = std::max(row_bytes, static_cast<double>(plan.bytes) / static_cast<double>(band[2]));
    progress.draw(static_cast<double>(y + band[2]) / static_cast<double>(height));
    throw_if_cancelled();
  }
  found.work_bytes = [=](Index band) { return row_bytes * static_cast<double>(band); };
  return found;
}

template Survey survey(const BlurRequest&, BandInputs<float>&, const std::vector<double>&,
                       const Shape&, Index, const AdaptiveBlurOptions&);
template Survey survey(const BlurRequest&, BandInputs<double>&, const std::vector<double>&,
                       const Shape&, Index, const AdaptiveBlurOptions&);

}  // namespace blurfield::app
