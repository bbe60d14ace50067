// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/start.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "blurfield/ops/uniform_blur.h"

namespace blurfield::detail {
namespace {

constexpr double kLowest = 0.3;   // pixels
constexpr double kStep = 0.3466;  // half an octave, in log sigma
constexpr double kWindow = 4.0;   // pixels, sigma of the neighbourhood that is compared
constexpr double kSpread = 8.0;   // pixels, over which a field's start is smoothed

// sum over channels (and images, where they share the field) of weights (A x - y)^2, (F, 1, H, W)
template <class T>
Image<T> squared_error(const Image<T>& blurred, const View<const T>& y,
                       const View<const T>& weights, const EstimateOptions& options) {
  Shape shape = y.shape;
  if (options.shared) shape[0] = 1;
  shape[1] = 1;
  Image<T> error(shape);
  const Index images = y.batch() / shape[0];  // that share a field
  parallel_for(shape[0] * y.height(), {options.blur.execution.threads, {}}, [&](Index i) {
    const Index field = i / y.height();
    const Index row = i % y.height();
    T* to = error.view().row(field, 0, row);
    for (Index n = field * images; n < (field + 1) * images; ++n) {
      for (Index c = 0; c < y.channels(); ++c) {
        const T* a = blurred.view().row(n, c, row);
        for (Index col = 0; col < y.width(); ++col) {
          const T r = a[col] - y.at(n, c, row, col);
          to[col] += weights.at(n, c, row, col) * r * r;
        }
      }
    }
  });
  return error;
}

template <class T>
Image<T> smoothed(const Image<T>& image, double sigma, const Execution& execution) {
  BlurOptions options;
  options.extension.mode = Mode::nearest;
  options.truncate = 3.0;
  options.execution = execution;
  return uniform_blur<T>(image, {&sigma, 1}, options);
}

double total(const auto& image) {
  double sum = 0.0;
  for (Index i = 0; i < image.elements(); ++i) sum += static_cast<double>(image.data()[i]);
  return sum;
}

}  // namespace

template <class T>
Start<T> find_start(const View<const T>& x, const View<const T>& y, const View<const T>& weights,
                    double max_sigma, const EstimateOptions& options) {
  Start<T> start;
  Image<T> best;     // log sigma of the least error around each pixel
  Image<T> least;    // that error
  Image<T> largest;  // the largest error
  double least_total = std::numeric_limits<double>::infinity();
  const BlurOptions& blur = options.blur;
  for (double s = std::log(kLowest); s <= std::log(max_sigma) + 1e-9; s += kStep) {
    const double sigma = std::exp(s);
    Image<T> blurred(x.shape);
    uniform_blur<T>(x, {&sigma, 1}, blurred, blur);
    const Image<T> raw = squared_error(blurred, y, weights, options);
    const double sum = total(raw);
    if (sum < least_total) {
      least_total = sum;
      start.sigma = sigma;
    }
    const Image<T> error = smoothed(raw, kWindow, blur.execution);
    if (best.empty()) {
      best = Image<T>(error.shape());
      std::fill_n(best.data(), best.elements(), static_cast<T>(s));
      least = Image<T>(error.view());
      largest = Image<T>(error.view());
    }
    for (Index i = 0; i < error.elements(); ++i) {
      const T e = error.data()[i];
      largest.data()[i] = std::max(largest.data()[i], e);
      if (e >= least.data()[i]) continue;
      least.data()[i] = e;
      best.data()[i] = static_cast<T>(s);
    }
  }
  if (best.empty()) {
    start.sigma = max_sigma;
    return start;
  }
  // Weighted by how much the errors differ, with the whole's sigma as a faint background.
  Image<T>& weight = largest;
  const auto background = static_cast<T>(
      1e-4 * (total(largest) - total(least)) / static_cast<double>(best.elements()) + 1e-30);
  for (Index i = 0; i < best.elements(); ++i) {
    weight.data()[i] -= least.data()[i];
    best.data()[i] *= weight.data()[i];
  }
  start.field = smoothed(best, kSpread, blur.execution);
  const Image<T> norm = smoothed(weight, kSpread, blur.execution);
  const auto whole = static_cast<T>(std::log(start.sigma));
  for (Index i = 0; i < best.elements(); ++i) {
    T& s = start.field.data()[i];
    s = std::exp((s + background * whole) / (norm.data()[i] + background));
  }
  return start;
}

template Start<float> find_start(const View<const float>&, const View<const float>&,
                                 const View<const float>&, double, const EstimateOptions&);
template Start<double> find_start(const View<const double>&, const View<const double>&,
                                  const View<const double>&, double, const EstimateOptions&);

}  // namespace blurfield::detail
