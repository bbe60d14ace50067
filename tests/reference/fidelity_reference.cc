// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/fidelity_reference.h"

#include <algorithm>
#include <cmath>

namespace blurfield::test {
namespace {

// visit(y, weight, position) for all pixels of weight > 0.
template <class Visit>
void for_each_counted(const Image<double>& y, const Image<double>& weight, const Visit& visit) {
  const Shape& shape = y.shape();
  Index at = 0;
  for (Index n = 0; n < shape[0]; ++n) {
    for (Index c = 0; c < shape[1]; ++c) {
      for (Index row = 0; row < shape[2]; ++row) {
        for (Index x = 0; x < shape[3]; ++x, ++at) {
          const double w = weight_at(weight, n, c, row, x);
          if (w > 0) visit(y.data()[at], w, at);
        }
      }
    }
  }
}

// m - k log m; below `least` a parabola of the same slope, and of the same curvature or, for k
// below `least`, least at k.
double misfit_of_counts(double m, double k, double least) {
  const auto logarithmic = [&](double at) { return at - (k > 0 ? k * std::log(at) : 0.0); };
  if (m >= least) return logarithmic(m);
  if (k < least) {
    const auto parabola = [&](double at) { return (at - k) * (at - k) / (2 * least); };
    return logarithmic(least) + parabola(m) - parabola(least);
  }
  const double step = m - least;
  return logarithmic(least) + (1 - k / least) * step + k / (least * least) * step * step / 2;
}

}  // namespace

double weight_at(const Image<double>& weight, Index n, Index c, Index y, Index x) {
  if (weight.empty()) return 1.0;
  return weight.view().at(weight.shape()[0] == 1 ? 0 : n, weight.shape()[1] == 1 ? 0 : c, y, x);
}

double least_mean(const Image<double>& y, const FidelityOptions& options,
                  const Image<double>& weight) {
  double sum = 0.0;
  double count = 0.0;
  for_each_counted(y, weight, [&](double pixel, double, Index) {
    sum += std::max((pixel - options.offset) / options.gain, 0.0);
    count += 1;
  });
  const double least =
      std::max(options.background / options.gain, count > 0 ? sum / count / 100 : 0);
  return least > 0 ? least : 1.0;
}

double misfit_of_pixel(double u, double y, const FidelityOptions& options, double least) {
  if (options.kind == Fidelity::norm) return (u - y) * (u - y) / 2;
  if (options.kind == Fidelity::poisson) {
    const double m = (u + options.background) / options.gain;
    const double k = std::max((y - options.offset) / options.gain, 0.0);
    return misfit_of_counts(m, k, least) - misfit_of_counts(k, k, least);
  }
  const double t = std::abs(u - y) / options.noise;
  const bool straight = options.kind == Fidelity::huber && t > options.threshold;
  if (!straight) return t * t / 2;
  return options.threshold * options.threshold / 2 + options.threshold * (t - options.threshold);
}

double fidelity_reference(const Image<double>& y, const FidelityOptions& options,
                          const Image<double>& weight, const Image<double>& u) {
  const double least = least_mean(y, options, weight);
  double sum = 0.0;
  for_each_counted(y, weight, [&](double pixel, double w, Index at) {
    sum += w * misfit_of_pixel(u.data()[at], pixel, options, least);
  });
  return options.kind == Fidelity::norm ? std::sqrt(sum) : sum;
}

}  // namespace blurfield::test
